from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.tune.front import Costs, front, knee

FIGURE = st.floats(0, 3, allow_nan=False) | st.sampled_from([0.0, 0.5, 1.0])
POINTS = st.lists(st.tuples(FIGURE, FIGURE), min_size=1, max_size=40)


def beats(one: Costs, other: Costs) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


@given(POINTS)
def test_no_point_of_the_front_is_beaten_by_any_point(points: list[Costs]) -> None:
    for place in front(points):
        assert not any(beats(other, points[place]) for other in points)


@given(POINTS)
def test_every_other_point_is_beaten_by_one_of_the_front_or_equal_to_it(
    points: list[Costs],
) -> None:
    found = front(points)
    for place, point in enumerate(points):
        own = [points[one] for one in found]
        assert place in found or any(beats(one, point) or one == point for one in own)


@given(POINTS)
def test_the_front_runs_from_least_drift_to_least_leak(points: list[Costs]) -> None:
    costs = [points[place] for place in front(points)]
    assert [drift for _, drift in costs] == sorted({drift for _, drift in costs})
    assert [leak for leak, _ in costs] == sorted({leak for leak, _ in costs}, reverse=True)


@given(POINTS, st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_knee_is_a_point_of_the_front(points: list[Costs], up: float, across: float) -> None:
    costs = [points[place] for place in front(points)]
    assert 0 <= knee(costs) < len(costs)


def test_the_knee_is_the_deepest_corner_whatever_the_units() -> None:
    costs = [(1.0, 0.0), (0.6, 0.1), (0.2, 0.2), (0.15, 0.6), (0.0, 1.0)]
    assert knee(costs) == 2
    assert knee([(leak * 1000, drift * 0.01) for leak, drift in costs]) == 2


@pytest.mark.parametrize(
    "costs", [[(0.4, 0.2)], [(0.9, 0.1), (0.3, 0.5)], [(1.0, 0.0), (0.9, 0.9), (0.0, 1.0)]]
)
def test_a_front_with_no_knee_ends_at_the_least_leak(costs: list[Costs]) -> None:
    assert knee(costs) == len(costs) - 1
