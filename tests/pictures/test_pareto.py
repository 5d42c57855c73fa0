from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from surgery.pictures.pareto import BEATEN, BLUE, HEIGHT, WIDTH, Chart, Dot, pareto_chart, ticks
from surgery.pictures.sheet import RED, save

CHART = Chart(
    title="x: what is left against what else moves",
    subtitle="uce on atelier, 4 points",
    drift="drift",
    leak="leak",
    dots=(
        Dot(0.1, 0.6, "front"),
        Dot(0.3, 0.2, "front"),
        Dot(0.5, 0.1, "front"),
        Dot(0.4, 0.5, "beaten"),
        Dot(9.0, 0.5, "beaten"),
    ),
    now=0,
    chosen=1,
    note="ridge=0.1",
)


def count(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    far = np.abs(np.asarray(picture).astype(int) - colour).max(axis=2)
    return int((far < 12).sum())


def test_the_chart_shows_the_points_of_each_kind(tmp_path: Path) -> None:
    save(pareto_chart(CHART), tmp_path / "front.png")
    picture = Image.open(tmp_path / "front.png")
    assert picture.size == (WIDTH, HEIGHT)
    for colour in (BLUE, BEATEN, RED):
        assert count(picture, colour) > 60


def test_what_lies_far_beyond_the_front_is_counted_and_not_drawn() -> None:
    assert CHART.outside() == 1
    assert CHART.reach()[0] == pytest.approx(0.6)


def test_a_chart_of_one_point_can_be_drawn() -> None:
    alone = replace(CHART, dots=(Dot(0.0, 0.0, "front"),), chosen=0)
    assert count(pareto_chart(alone), RED) > 60


def test_a_note_stays_on_the_paper_wherever_the_point_is() -> None:
    for drift in (0.0, 0.1, 0.5):
        dots = (Dot(drift, 0.3, "front"), Dot(0.5, 0.3, "beaten"))
        drawn = pareto_chart(replace(CHART, dots=dots, chosen=0, note="a=1  " * 9))
        assert count(drawn.crop((WIDTH - 6, 0, WIDTH, HEIGHT)), RED) == 0
        assert count(drawn.crop((0, 0, 90, HEIGHT - 60)), RED) == 0


@given(st.floats(1e-6, 1e6))
def test_ticks_are_few_and_reach_far(reach: float) -> None:
    found = ticks(reach)
    assert found[0] == 0
    assert 3 <= len(found) <= 8
    assert found[-1] <= reach * (1 + 1e-6)
