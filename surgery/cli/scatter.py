"""Points as lines of text: leak upwards, drift to the right. Pure; nothing here prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST, MOST, HIGH, GUTTER = 60, 93, 17, 7


@dataclass(frozen=True, slots=True)
class Mark:
    """One point and its sign; of several in one place the last is seen."""

    across: float
    up: float
    sign: str


def scatter(
    marks: Sequence[Mark], reach: tuple[float, float], names: tuple[str, str], columns: int = MOST
) -> list[str]:
    """At most 21 lines.

    Args:
        marks: what lies beyond the reach is left out.
        reach: the values at the right and at the upper end; both axes begin at 0.
        names: of the axis to the right and of the one upwards.
        columns: that there are; 93 are used at most, and 60 at least.
    """
    wide = max(FEWEST, min(columns, MOST)) - GUTTER - 2
    rows = [[" "] * (wide + 1) for _ in range(HIGH + 1)]
    for mark in marks:
        if mark.across <= reach[0] and mark.up <= reach[1]:
            height = round((1 - mark.up / reach[1]) * HIGH)
            rows[height][round(mark.across / reach[0] * wide)] = mark.sign
    lines = [f"{'':{GUTTER}}{names[1]}"]
    for number, row in enumerate(rows):
        labelled = number in (0, HIGH // 2, HIGH)
        value = _label(reach[1] * (1 - number / HIGH)) if labelled else ""
        lines.append(f"{value:>{GUTTER - 2}} {'┤' if labelled else '│'}{''.join(row).rstrip()}")
    lines.append(f"{'':{GUTTER - 1}}└{'─' * (wide + 1)}")
    return [*lines, _scale(reach[0], names[0], wide)]


def _label(value: float) -> str:
    """As many digits, three at most, as there is room for left of the axis."""
    texts = [f"{value:.{digits}g}" for digits in (3, 2, 1)]
    return next((text for text in texts if len(text) <= GUTTER - 2), texts[-1])


def _scale(reach: float, name: str, wide: int) -> str:
    """Both ends of the axis to the right, and its name between them."""
    last = f"{reach:.3g}"
    return f"{'':{GUTTER}}0{name:^{wide - len(last)}}{last}"
