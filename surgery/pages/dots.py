"""Shares before and after with their intervals: a dot, a line and what is allowed, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surgery.pages.html import Child, Html, el
from surgery.report import Share
from surgery.report.findings import percent

MIDDLE, HIGH = 17, 34
"""Pixels: where the dots of a row stand, and how high the row is."""


@dataclass(frozen=True, slots=True)
class Dots:
    """One row of the chart.

    Args:
        name, note: what was measured, and what should have become of it.
        before, after: shares from 0 to 1.
        allowed: from where to where the share after passes; None where nothing is expected.
        passed: whether it does; None where nothing is expected.
    """

    name: str
    note: str
    before: Share
    after: Share
    allowed: tuple[float, float] | None = None
    passed: bool | None = None


def dots(rows: Sequence[Dots], what: str) -> Html:
    """A chart of rows; every row says its figures in words too.

    Args:
        what: what the shares are of: `pictures that show it`.
    """
    ends = el("span", [el("span", one) for one in ("0 %", what, "100 %")], cls="scale")
    axis = el("div", el("span"), ends, el("span"), cls="dots axis", aria_hidden="true")
    return el("div", axis, [_row(one) for one in rows], cls="chart-dots")


def key() -> Html:
    """How to read a row."""
    marks: list[Child] = [
        _mark(_dot(50, "then")), "before",
        _mark(_dot(50, "now")), "after",
        _mark(_line(10, 90, "interval"), _dot(50, "now")), "95 % interval",
        _mark(_zone(0, 100)), "where it should be",
    ]  # fmt: skip
    return el("p", marks, cls="legend")


def change(before: Share, after: Share) -> str:
    """`100 % → 0 % (0 to 7)`: a share before and after, with the interval of the latter."""
    return f"{percent(before.value)} → {percent(after.value)} ({interval(after)})"


def interval(share: Share) -> str:
    return f"{round(100 * share.low)} to {round(100 * share.high)}"


def _row(row: Dots) -> Html:
    name = el("span", el("b", row.name), el("small", row.note), cls="name")
    figures = el("span", el("span", percent(row.before.value)), " → ",
                 el("b", percent(row.after.value)), el("small", f" ({interval(row.after)})"),
                 cls="figures")  # fmt: skip
    looks = {None: "dots", True: "dots good-row", False: "dots bad-row"}
    return el("div", name, _chart(row), figures, cls=looks[row.passed])


def _chart(row: Dots) -> Html:
    before, after = 100 * row.before.value, 100 * row.after.value
    parts: list[Child] = [_line(0, 100, "track")]
    if row.allowed:
        parts.append(_zone(*(100 * one for one in row.allowed)))
    parts += [
        _line(before, after, "way"),
        _line(100 * row.before.low, 100 * row.before.high, "interval then"),
        _dot(before, "then"),
        _line(100 * row.after.low, 100 * row.after.high, "interval"),
        _dot(after, "now"),
    ]
    words = f"{row.name}: {change(row.before, row.after)}, {row.after.count} pictures"
    return el("svg", parts, role="img", aria_label=words, height=HIGH, width="100%")


def _mark(*parts: Child) -> Html:
    return el("svg", parts, width=30, height=HIGH, aria_hidden="true")


def _line(start: float, end: float, look: str) -> Html:
    places = {"x1": f"{start:.4g}%", "x2": f"{end:.4g}%", "y1": MIDDLE, "y2": MIDDLE}
    return el("line", cls=look, **places)


def _dot(at: float, look: str) -> Html:
    return el("circle", cx=f"{at:.4g}%", cy=MIDDLE, r=5, cls=look)


def _zone(start: float, end: float) -> Html:
    wide = max(0.0, end - start)
    return el("rect", x=f"{start:.4g}%", width=f"{wide:.4g}%", y=MIDDLE - 9, height=18, rx=3,
              cls="zone")  # fmt: skip
