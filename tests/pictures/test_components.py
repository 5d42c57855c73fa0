"""The chart of scores draws both sides, the longer bar for the larger share."""

from __future__ import annotations

import numpy as np

from surgery.pictures.components import AGAINST, FOR, MIDDLE, ROW, TOP, component_chart
from tests.helpers.component_reports import attribution, hostile


def widths(row: int, colour: tuple[int, int, int]) -> int:
    pixels = np.asarray(component_chart(attribution()), dtype=int)
    line = pixels[TOP + ROW * row + ROW // 2]
    return int((np.abs(line - colour).sum(1) < 12).sum())


def test_a_larger_share_has_a_longer_bar() -> None:
    found = [widths(row, FOR) for row in range(10)]
    assert found == sorted(found) and found[0] < found[-1]


def test_what_speaks_against_it_goes_to_the_left() -> None:
    pixels = np.asarray(component_chart(attribution()), dtype=int)
    columns = np.flatnonzero((np.abs(pixels - AGAINST).sum(2) < 12)[TOP + ROW // 2])
    assert len(columns) and columns.max() <= MIDDLE


def test_a_report_without_scores_is_drawn_too() -> None:
    assert component_chart(hostile()).width == 1200
