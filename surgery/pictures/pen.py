"""A pen that draws finely in pixels of the finished picture. What is drawn is not known here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

from surgery.pictures.sheet import INK, PAPER

FINER = 2
IN_FONT = "…·±°"
"""What Pillow's own font has besides ASCII."""
Rgb = tuple[int, int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws on paper of `width` x `height` pixels; boxes are left, top, right, bottom."""

    width: int
    height: int
    paper: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        size = self.width * FINER, self.height * FINER
        object.__setattr__(self, "paper", Image.new("RGB", size, PAPER))

    def finished(self) -> Image.Image:
        """The picture in its own size."""
        return self.paper.resize((self.width, self.height), Image.Resampling.LANCZOS)

    def box(
        self, box: Box, fill: Rgb | None = None, edge: Rgb | None = None, *, wide: int = 1
    ) -> None:
        """A box with round corners, filled or with an edge of `wide` pixels or both."""
        fine = [one * FINER for one in box]
        if fine[2] > fine[0] and fine[3] > fine[1]:
            self._draw().rounded_rectangle(fine, 2 * FINER, fill, edge, wide * FINER)

    def line(self, ends: Iterable[tuple[float, float]], colour: Rgb, wide: float = 1) -> None:
        """A line through places."""
        self._draw().line([(x * FINER, y * FINER) for x, y in ends], colour, round(wide * FINER))

    def text(
        self, at: tuple[float, float], words: str, colour: Rgb = INK, *, size: int, anchor: str
    ) -> None:
        """Words at a place; `anchor` as Pillow names them."""
        place = at[0] * FINER, at[1] * FINER
        self._draw().text(place, legible(words), colour, _font(size), anchor=anchor)

    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.paper)


def length(words: str, size: int) -> float:
    """How wide words are."""
    return _font(size).getlength(legible(words)) / FINER


def legible(words: str) -> str:
    r"""The words in letters of the font: without accents, what else it lacks as \uXXXX."""
    apart = unicodedata.normalize("NFD", words)
    return "".join(_letter(one) for one in apart if not unicodedata.combining(one))


def _letter(one: str) -> str:
    if one.isascii() or one in IN_FONT:
        return one
    return "-" if unicodedata.category(one) == "Pd" else one.encode("unicode_escape").decode()


def cut(words: str, size: int, width: float) -> str:
    """The words, or as many letters as fit with an ellipsis."""
    if length(words, size) <= width:
        return words
    kept = words[:200]
    while kept and length(f"{kept}...", size) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}..."


def wrapped(words: str, size: int, width: float, most: int) -> list[str]:
    """The words on at most `most` lines."""
    lines: list[str] = []
    for word in words.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and length(joined, size) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    rest = " ".join(lines[most - 1 :])
    return [cut(line, size, width) for line in [*lines[: most - 1], *([rest] if rest else [])]]


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size * FINER)
