"""The contact sheet of a verification: its pictures set by set, before above after.

What should be gone comes first, then what should stay. A red frame marks a picture in which the
judge saw what should be gone, or missed what should stay.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from surgery.pictures.pen import Pen, cut, wrapped
from surgery.pictures.sheet import FAINT, GREEN, INK, RED
from surgery.report import PicturePair, SetFigures, VerifyReport
from surgery.report.findings import percent
from surgery.report.sets import ASKED, is_erased, number, went_right
from surgery.report.verify import ERASED, Group
from surgery.store.text import visible

WIDTH, MARGIN, SIDE = 1400, 32, 74
TILE, GAP, BETWEEN = 128, 6, 30
TITLE, TEXT, SMALL, TINY = 26, 17, 14, 11
HEAD, CAPTION, LINE = 50, 48, 24
"""Heights: of a group's title, of the prompts below it, of what is between two lines of groups."""

MOST, MOST_OTHER = 8, 3
"""Pictures of one group at most: of what should be gone by its name, and of all else."""

LOST = (226, 226, 220)
"""The place of a picture that cannot be read."""

BANDS: tuple[tuple[str, tuple[Group, ...], tuple[int, int, int]], ...] = (
    ("Should be gone", ERASED, RED),
    ("Should stay", ("kept", "unrelated"), GREEN),
    ("From a list", ("given",), INK),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The pictures of one set, and what is written above them."""

    title: str
    note: str
    pairs: tuple[PicturePair, ...]

    @property
    def width(self) -> int:
        """Of its pictures; that of two where there is one, or no title would fit."""
        return max(2, len(self.pairs)) * (TILE + GAP) - GAP


def contact_sheet(report: VerifyReport) -> Image.Image:
    """Draws the pictures of a report, 1400 pixels wide and as high as it needs."""
    bands = [(title, colour, _lines(report, groups)) for title, groups, colour in BANDS]
    words = wrapped(visible(report.verdict), TEXT, WIDTH - 2 * MARGIN, 4)
    top = MARGIN + 44 + 24 * len(words) + 18
    below = sum(_height(lines) for _, _, lines in bands)
    pen = Pen(WIDTH, top + below + 56)
    _head(pen, report, words)
    places: list[tuple[tuple[int, int], str]] = []
    for title, colour, lines in bands:
        if lines:
            pen.text((MARGIN, top), title, colour, size=20, anchor="la")
            for at, line in enumerate(lines):
                places += _draw_line(pen, line, top + 36 + at * _line_height())
        top += _height(lines)
    _foot(pen, report)
    sheet = pen.finished()
    for place, png in places:
        sheet.paste(_tile(png), place)
    return sheet


def _head(pen: Pen, report: VerifyReport, words: Sequence[str]) -> None:
    title = visible(f"{report.before.address} and {report.after.address}")
    pen.text((MARGIN, MARGIN), cut(title, TITLE, WIDTH - 2 * MARGIN), size=TITLE, anchor="la")
    colour = (GREEN if report.passed else RED) if report.gates else FAINT
    for at, line in enumerate(words):
        pen.text((MARGIN, MARGIN + 44 + 24 * at), line, colour, size=TEXT, anchor="la")


def _foot(pen: Pen, report: VerifyReport) -> None:
    words = "one prompt and one seed above and below, painted from the same noise"
    if any(map(_is_wrong, report.pictures)):
        words += "; red frame: not what it should be, says the judge"
    pen.text((MARGIN, pen.height - 32), words, FAINT, size=SMALL, anchor="lm")


def _lines(report: VerifyReport, groups: Sequence[Group]) -> list[list[Cluster]]:
    """Clusters side by side, as many as there is room for."""
    lines: list[list[Cluster]] = []
    room = 0
    for cluster in _clusters(report, groups):
        if not lines or cluster.width > room:
            lines.append([])
            room = WIDTH - MARGIN - MARGIN - SIDE
        lines[-1].append(cluster)
        room -= cluster.width + BETWEEN
    return lines


def _clusters(report: VerifyReport, groups: Sequence[Group]) -> Iterator[Cluster]:
    figures = {(one.group, one.concept): one for one in report.sets}
    for group in groups:
        own = [one for one in report.pictures if one.group == group]
        for concept in dict.fromkeys(one.concept for one in own):
            pairs = tuple(one for one in own if one.concept == concept)
            note = _note(group, figures.get((group, concept)))
            yield Cluster(concept, note, _some(pairs, MOST if group == "erased" else MOST_OTHER))


def _some(pairs: Sequence[PicturePair], most: int) -> tuple[PicturePair, ...]:
    """At most so many, in their order; those that went wrong are never left out for others."""
    order = sorted(range(len(pairs)), key=lambda at: not _is_wrong(pairs[at]))
    return tuple(pairs[at] for at in sorted(order[:most]))


def _is_wrong(pair: PicturePair) -> bool:
    return went_right(pair.group, pair.marks) is False


def _note(group: Group, figures: SetFigures | None) -> str:
    asked = ASKED[group] if is_erased(group) else ""
    if figures is None:
        return asked
    what = ""
    if (then := figures.shown_before) and (now := figures.shown_after):
        what = f"seen in {percent(then.value)}, now {percent(now.value)}"
    elif (then := figures.clip_before) and (now := figures.clip_after):
        what = f"CLIP {number(then.value)}, now {number(now.value)}"
    return ": ".join(filter(None, (asked, what)))


def _line_height() -> int:
    return HEAD + 2 * (TILE + GAP) + CAPTION + LINE


def _height(lines: Sequence[object]) -> int:
    return 36 + len(lines) * _line_height() + 10 if lines else 0


def _draw_line(pen: Pen, line: Sequence[Cluster], top: int) -> list[tuple[tuple[int, int], str]]:
    """Draws all but the pictures; returns where each of them goes."""
    for row, word in enumerate(("before", "after")):
        middle = top + HEAD + row * (TILE + GAP) + TILE / 2
        pen.text((MARGIN, middle), word, FAINT, size=SMALL, anchor="lm")
    places, left = [], MARGIN + SIDE
    for cluster in line:
        places += _draw_cluster(pen, cluster, left, top)
        left += cluster.width + BETWEEN
    return places


def _draw_cluster(
    pen: Pen, cluster: Cluster, left: int, top: int
) -> list[tuple[tuple[int, int], str]]:
    for words, down, size, colour in (
        (cluster.title, 0, TEXT, INK),
        (cluster.note, 24, SMALL, FAINT),
    ):
        fitting = cut(visible(words), size, cluster.width)
        pen.text((left, top + down), fitting, colour, size=size, anchor="la")
    places, first = [], top + HEAD
    for at, pair in enumerate(cluster.pairs):
        x, second = left + at * (TILE + GAP), first + TILE + GAP
        if _is_wrong(pair):
            pen.box((x - 3, second - 3, x + TILE + 3, second + TILE + 3), RED)
        for row, line in enumerate(wrapped(visible(pair.prompt), TINY, TILE, 3)):
            down = second + TILE + 7 + 13 * row
            pen.text((x, down), line, FAINT, size=TINY, anchor="la")
        places += [((x, first), pair.before), ((x, second), pair.after)]
    return places


def _tile(png: str) -> Image.Image:
    """A picture in the size of the sheet; a plain box where it cannot be read."""
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(png, validate=True))).convert("RGB")
    except (binascii.Error, ValueError, OSError):
        return Image.new("RGB", (TILE, TILE), LOST)
    is_small = max(picture.size) < TILE
    how = Image.Resampling.NEAREST if is_small else Image.Resampling.LANCZOS
    return picture.resize((TILE, TILE), how)
