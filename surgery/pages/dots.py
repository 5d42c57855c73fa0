"""Figures on a line: a dot for each, its interval, and the way from the one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from surgery.pages.html import Child, Html, el, unbroken

MIDDLE, HIGH = 17, 34
"""Pixels: where the dots of a row stand, and how high the row is."""

Look = Literal["then", "now", "most", "back"]


@dataclass(frozen=True, slots=True)
class Axis:
    """What a chart counts, from where to where, and its ends in words."""

    what: str
    low: float
    high: float
    ends: tuple[str, str]

    def place(self, value: float) -> float:
        """Where a value stands, in percent of the width; what lies beyond stands at the end."""
        wide = self.high - self.low
        share = (value - self.low) / wide if wide > 0 else 0.0
        return 100 * min(1.0, max(0.0, share))


@dataclass(frozen=True, slots=True)
class Dot:
    """A value and its interval.

    Args:
        look: `then` is hollow, `now` filled, `back` a square, `most` a short stroke.
    """

    value: float
    low: float
    high: float
    look: Look = "now"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a chart.

    Args:
        name, note: what was measured.
        dots: in the order in which things went; a dotted line joins the first two.
        words: the figures, for those who do not see the chart; `figures` for those who do.
        look: `good` or `bad`; '' where nothing is expected.
    """

    name: str
    note: str
    dots: tuple[Dot, ...]
    figures: Child
    words: str
    look: str = ""


def chart(axis: Axis, lines: Sequence[Line]) -> Html:
    """Rows above each other on one axis."""
    left, right = axis.ends
    scale = el("span", [el("span", unbroken(one)) for one in (left, axis.what, right)], cls="scale")
    top = el("div", el("span"), scale, el("span"), cls="dots axis", aria_hidden="true")
    return el("div", top, [_line(axis, one) for one in lines], cls="chart-dots")


def key(*marks: tuple[Look, bool, str]) -> Html:
    """How to read the dots: the look of each, whether with its interval, and what it is."""
    return el("p", [_key(*one) for one in marks], cls="legend")


def _key(look: Look, has_interval: bool, words: str) -> Html:
    half = 40 if has_interval else 0
    dot = _dot(Axis("", 0, 100, ("", "")), Dot(50, 50 - half, 50 + half, look))
    mark = el("svg", dot, width=30, height=18, viewBox="0 8 30 18", aria_hidden="true")
    return el("span", mark, words, cls="entry")


def _line(axis: Axis, line: Line) -> Html:
    name = el("span", el("b", line.name), el("small", line.note) if line.note else None, cls="name")
    parts: list[Child] = [_stroke(0, 100, "track")]
    if len(line.dots) > 1:
        first, second = (axis.place(one.value) for one in line.dots[:2])
        parts.append(_stroke(first, second, "way"))
    parts += [_dot(axis, one) for one in line.dots]
    words = f"{line.name}: {line.words}"
    drawn = el("svg", parts, role="img", aria_label=words, height=HIGH, width="100%")
    look = f"dots {line.look}-row" if line.look else "dots"
    return el("div", name, drawn, el("span", line.figures, cls="figures"), cls=look)


def _dot(axis: Axis, dot: Dot) -> list[Child]:
    at = axis.place(dot.value)
    interval = _stroke(axis.place(dot.low), axis.place(dot.high), f"interval {dot.look}")
    return [interval, _sign(at, dot.look)]


def _sign(at: float, look: Look) -> Html:
    place = f"{at:.4g}%"
    if look == "most":
        return el("line", x1=place, x2=place, y1=MIDDLE - 5, y2=MIDDLE + 5, cls="most")
    if look == "back":
        return el("rect", x=place, y=MIDDLE - 5, width=10, height=10, rx=1,
                  transform="translate(-5 0)", cls="back")  # fmt: skip
    return el("circle", cx=place, cy=MIDDLE, r=5, cls=look)


def _stroke(start: float, end: float, look: str) -> Html | None:
    if start == end:
        return None
    ends = {"x1": f"{start:.4g}%", "x2": f"{end:.4g}%"}
    return el("line", y1=MIDDLE, y2=MIDDLE, cls=look, **ends)
