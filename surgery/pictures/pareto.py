"""A chart of leak against drift: the points of a sweep, the front, and the one that was taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from surgery.pictures.sheet import FAINT, INK, PAPER, RED

WIDTH, HEIGHT, FINER = 1200, 820, 3
LEFT, RIGHT, TOP, BOTTOM = 104, 40, 138, 112
GRID, BEATEN, BLUE = (228, 228, 224), (188, 190, 196), (38, 92, 170)
MOST_TICKS = 7

Kind = Literal["front", "beaten", "missed"]
Rgb = tuple[int, int, int]
LOOKS: dict[Kind, tuple[str, Rgb]] = {
    "front": ("front: no point beats these", BLUE),
    "beaten": ("beaten on both counts", BEATEN),
    "missed": ("misses what the recipe expects", (236, 176, 160)),
}


@dataclass(frozen=True, slots=True)
class Dot:
    """One point of a sweep: its drift and its leak."""

    drift: float
    leak: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn.

    Args:
        now: the place of the recipe as it was; `chosen` that of the point that was taken.
        note: what the chosen point is, in a few words.
    """

    title: str
    subtitle: str
    drift: str
    leak: str
    dots: Sequence[Dot]
    now: int
    chosen: int
    note: str

    def reach(self) -> tuple[float, float]:
        """The largest drift and leak that are drawn: what lies far beyond the front is left out.

        Leaks up to 1, all of a concept, are always drawn.
        """
        near = [dot for dot in self.dots if dot.kind == "front"]
        near += [self.dots[self.now], self.dots[self.chosen]]
        widest, highest = max(dot.drift for dot in near), max(dot.leak for dot in near)
        usual = max(min(dot.leak, 1.0) for dot in self.dots)
        return 1.2 * widest or 1.0, max(1.2 * highest, 1.05 * usual) or 1.0

    def outside(self) -> int:
        """How many points are left out."""
        widest, highest = self.reach()
        return sum(dot.drift > widest or dot.leak > highest for dot in self.dots)


def pareto_chart(chart: Chart) -> Image.Image:
    """Draws the chart, light, in 1200 x 820 pixels."""
    canvas = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), PAPER)
    pen = _Pen(ImageDraw.Draw(canvas), *chart.reach())
    _axes(pen, chart)
    for kind in ("missed", "beaten"):
        for dot in chart.dots:
            if dot.kind == kind:
                pen.disc(pen.place(dot), 5, LOOKS[dot.kind][1])
    front = sorted((dot for dot in chart.dots if dot.kind == "front"), key=lambda dot: dot.drift)
    pen.steps([pen.place(dot) for dot in front], BLUE)
    for dot in front:
        pen.disc(pen.place(dot), 7, BLUE)
    _marked(pen, chart)
    _heading(pen, chart)
    return canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws in pixels of the finished chart."""

    draw: ImageDraw.ImageDraw
    widest: float
    highest: float

    def place(self, dot: Dot) -> tuple[float, float]:
        across, up = dot.drift / self.widest, dot.leak / self.highest
        wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + across * wide, TOP + (1 - up) * high

    def is_inside(self, dot: tuple[float, float]) -> bool:
        return dot[0] <= WIDTH - RIGHT and dot[1] >= TOP

    def line(self, ends: Sequence[tuple[float, float]], colour: Rgb, width: float) -> None:
        fine = [(x * FINER, y * FINER) for x, y in ends]
        self.draw.line(fine, colour, round(width * FINER), joint="curve")

    def steps(self, places: Sequence[tuple[float, float]], colour: Rgb) -> None:
        """A staircase: between two points nothing better was found than the first of them."""
        path: list[tuple[float, float]] = []
        for x, y in places:
            path += [(x, path[-1][1])] if path else []
            path.append((x, y))
        if len(path) > 1:
            self.line(path, colour, 2)

    def disc(self, at: tuple[float, float], radius: float, colour: Rgb) -> None:
        if self.is_inside(at):
            self.draw.ellipse(self._box(at, radius), fill=colour, outline=PAPER, width=FINER)

    def ring(self, at: tuple[float, float], radius: float, colour: Rgb) -> None:
        self.draw.ellipse(self._box(at, radius), outline=colour, width=3 * FINER)

    def text(
        self, at: tuple[float, float], words: str, colour: Rgb, *, size: int = 17, anchor: str
    ) -> None:
        place = at[0] * FINER, at[1] * FINER
        font = ImageFont.load_default(size * FINER)
        edge = {"stroke_width": 3 * FINER, "stroke_fill": PAPER}
        self.draw.text(place, words, colour, font, anchor=anchor, **edge)  # type: ignore[arg-type]

    def length(self, words: str, size: int) -> float:
        return self.draw.textlength(words, ImageFont.load_default(size * FINER)) / FINER

    def _box(self, at: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
        x, y = at[0] * FINER, at[1] * FINER
        return x - radius * FINER, y - radius * FINER, x + radius * FINER, y + radius * FINER


def _axes(pen: _Pen, chart: Chart) -> None:
    low = HEIGHT - BOTTOM
    for value in ticks(pen.widest):
        x, _ = pen.place(Dot(value, 0, "front"))
        pen.line([(x, TOP), (x, low)], GRID, 1)
        pen.text((x, low + 10), f"{value:g}", FAINT, anchor="ma")
    for value in ticks(pen.highest):
        _, y = pen.place(Dot(0, value, "front"))
        pen.line([(LEFT, y), (WIDTH - RIGHT, y)], GRID, 1)
        pen.text((LEFT - 12, y), f"{value:g}", FAINT, anchor="rm")
    pen.line([(LEFT, TOP), (LEFT, low), (WIDTH - RIGHT, low)], FAINT, 1.5)
    pen.text(((LEFT + WIDTH - RIGHT) / 2, low + 42), chart.drift, INK, size=18, anchor="ma")
    pen.text((24, TOP - 18), chart.leak, INK, size=18, anchor="ls")


def _marked(pen: _Pen, chart: Chart) -> None:
    """The recipe as it was, and the point that was taken, with what it is."""
    now, chosen = (pen.place(chart.dots[place]) for place in (chart.now, chart.chosen))
    pen.ring(now, 12, INK)
    pen.disc(chosen, 10, RED)
    wide = pen.length(chart.note, 17)
    # Below and to the left of a front there is nothing.
    is_left = chosen[0] - 24 - wide > LEFT
    down = min(chosen[1] + 22, HEIGHT - BOTTOM - 16)
    at = (chosen[0] - 16 if is_left else max(chosen[0] - wide / 2, LEFT + 12)), down
    pen.text(at, chart.note, RED, anchor="rm" if is_left else "lm")


def _heading(pen: _Pen, chart: Chart) -> None:
    pen.text((24, 22), chart.title, INK, size=26, anchor="la")
    pen.text((24, 60), chart.subtitle, FAINT, size=17, anchor="la")
    kinds = {dot.kind for dot in chart.dots}
    entries = [(*LOOKS[kind], "disc") for kind in LOOKS if kind in kinds]
    entries += [("the recipe as it was", INK, "ring"), ("chosen", RED, "disc")]
    left = 24.0
    for words, colour, form in entries:
        at = left + 8, HEIGHT - 26.0
        (pen.ring if form == "ring" else pen.disc)(at, 7, colour)
        pen.text((left + 22, at[1]), words, INK, size=15, anchor="lm")
        left += 22 + pen.length(words, 15) + 28
    if outside := chart.outside():
        words = f"{outside} more lie farther out"
        pen.text((WIDTH - RIGHT, TOP + 12), words, FAINT, size=15, anchor="ra")


def ticks(reach: float) -> list[float]:
    """Round values from 0 to `reach`, at most so many that they can be read."""
    rough = reach / MOST_TICKS
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * nice for nice in (1, 2, 2.5, 5, 10) if scale * nice >= rough)
    return [round(step * count, 12) for count in range(int(reach / step + 1e-9) + 1)]
