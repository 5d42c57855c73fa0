"""The largest values, in a fixed order."""

from __future__ import annotations

import numpy as np

from surgery.numerics.extremes import largest


def test_the_largest_come_first_and_of_equal_ones_the_first() -> None:
    values = np.array([[1.0, 5.0, 2.0], [5.0, 0.0, -3.0]])
    assert largest(values, 3).tolist() == [1, 3, 2]


def test_what_is_not_above_zero_is_left_out() -> None:
    assert largest(np.array([0.0, -1.0, 0.5]), 3).tolist() == [2]
    assert largest(np.array([-1.0]), 3).tolist() == []


def test_it_is_the_same_as_sorting_all_of_many_values_with_ties() -> None:
    values = np.random.default_rng(0).integers(-5, 20, 5000).astype(float)
    order = sorted(range(5000), key=lambda place: (-values[place], place))
    assert largest(values, 700).tolist() == order[:700]
