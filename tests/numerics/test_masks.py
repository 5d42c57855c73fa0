"""Masks: how many components are taken, which, and in what order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.numerics.masks import (
    Array,
    Scope,
    largest,
    picked,
    published,
    unit_places,
    units,
    whole,
    worth,
)

# Widths of the feed-forward weights of Stable Diffusion 1: (channels, how many blocks).
BLOCKS = {320: 5, 640: 5, 1280: 6}
SCOPES: tuple[Scope, ...] = ("row", "matrix", "global")


def some(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize(
    ("ratio", "count", "expected"),
    [(0.001, 320, 1), (0.001, 1000, 1), (0.5, 4, 2), (1, 7, 7), (0.1, 30, 3), (0.02, 151, 4)],
)
def test_a_ratio_is_rounded_up_to_whole_components(ratio: float, count: int, expected: int) -> None:
    assert whole(ratio, count) == expected


@pytest.mark.parametrize("scope", SCOPES)
def test_the_smallest_ratio_takes_something(scope: Scope) -> None:
    assert all(len(one) for one in picked([np.abs(some(3, 5))], 1e-6, scope))


def test_a_row_gives_its_own_best() -> None:
    values = np.array([[3.0, 1, 2, 0], [10, 30, 20, 40]])
    assert picked([values], 0.5, "row")[0].tolist() == [0, 2, 5, 7]


def test_a_weight_gives_its_own_best() -> None:
    first, second = np.array([[1.0, 9], [2, 3]]), np.array([[90.0, 10], [20, 30]])
    assert [one.tolist() for one in picked([first, second], 0.5, "matrix")] == [[1, 3], [0, 3]]


def test_all_weights_together_give_the_best_of_all() -> None:
    first, second = np.array([[1.0, 9], [2, 3]]), np.array([[90.0, 10], [20, 30]])
    assert [one.tolist() for one in picked([first, second], 0.5, "global")] == [[], [0, 1, 2, 3]]
    assert [one.tolist() for one in picked([first, second], 0.625, "global")] == [[1], [0, 1, 2, 3]]


@pytest.mark.parametrize("scope", SCOPES)
def test_only_what_is_above_zero_is_taken(scope: Scope) -> None:
    values = np.array([[1.0, -1, 0, -5], [-1, -2, -3, 0]])
    assert picked([values], 1, scope)[0].tolist() == [0]


@pytest.mark.parametrize("scope", SCOPES)
def test_of_equal_scores_the_first_is_taken(scope: Scope) -> None:
    places = [one.tolist() for one in picked([np.ones((1, 4)), np.ones((1, 4))], 0.5, scope)]
    assert places == ([[0, 1, 2, 3], []] if scope == "global" else [[0, 1], [0, 1]])


@given(
    st.lists(st.integers(-2, 3), min_size=1, max_size=40),
    st.integers(0, 40),
)
def test_the_largest_are_those_of_a_stable_sort(values: list[int], count: int) -> None:
    array = np.array(values, np.float64)
    order = np.argsort(-array, kind="stable")[:count]
    assert largest(array, count).tolist() == sorted(i for i in order.tolist() if array[i] > 0)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_lesser_ratio_lies_within_a_larger_one(scope: Scope) -> None:
    values = [some(6, 10).round(1), some(4, 8, seed=1).round(1)]
    for less, more in ((0.05, 0.1), (0.1, 0.33), (0.33, 1.0)):
        pairs = zip(picked(values, less, scope), picked(values, more, scope), strict=True)
        assert all(set(small) <= set(large) for small, large in pairs)


def brute_force(values: Array, ratio: float) -> list[int]:
    """One row after the other, one weight at a time."""
    found = []
    for row, line in enumerate(values):
        taken: list[int] = []
        for _ in range(int(ratio * len(line))):
            left = [column for column in range(len(line)) if column not in taken]
            taken.append(max(left, key=lambda column: (line[column], -column)))
        found += [row * len(line) + column for column in taken if line[column] >= 0]
    return sorted(found)


@pytest.mark.parametrize("ratio", [0.001, 0.1, 0.25, 0.5, 1.0])
def test_the_published_selection_is_reproduced_with_its_ties(ratio: float) -> None:
    values = some(7, 12).round(0)
    assert (values == 0).any()
    assert published(values, ratio).tolist() == brute_force(values, ratio)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (0.0005, 18_560),
        (0.001, 107_840),
        (0.002, 244_480),
        (0.003, 352_320),
        (0.005, 698_240),
        (0.01, 1_420_160),
    ],
)
def test_the_published_selection_takes_as_many_as_was_counted(ratio: float, expected: int) -> None:
    def of_one_row(width: int) -> int:
        return len(published(np.ones((1, width), np.float32), ratio))

    rows = {width: blocks * 8 * width * of_one_row(width) for width, blocks in BLOCKS.items()}
    columns = {width: blocks * width * of_one_row(4 * width) for width, blocks in BLOCKS.items()}
    assert sum(rows.values()) + sum(columns.values()) == expected


def test_worth_puts_what_harms_others_behind_what_does_not() -> None:
    found = worth(np.array([4.0, 3, -1]), np.array([8.0, 0, 0]), 1.0)
    assert found.dtype == np.float32
    assert np.argsort(-found).tolist() == [1, 0, 2]
    assert found[2] < 0


@pytest.mark.parametrize("parts", [1, 2])
def test_a_unit_counts_what_its_rows_and_its_column_count(parts: int) -> None:
    inward, outward = some(parts * 3, 4), some(5, 3, seed=1)
    found = units(inward, outward)
    for unit in range(3):
        coming, going = unit_places(np.array([unit]), inward.shape, outward.shape)
        expected = inward.ravel()[coming].sum() + outward.ravel()[going].sum()
        np.testing.assert_allclose(found[unit], expected)
        assert (len(coming), len(going)) == (parts * 4, 5)


def test_units_without_any_chosen_have_no_weights() -> None:
    coming, going = unit_places(np.zeros(0, np.int64), (6, 4), (5, 3))
    assert (len(coming), len(going)) == (0, 0)
