"""Importance of weights by their inputs, and the union of masks that one set of values holds."""

from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.pruned import importance, most_important, places_in_row

DRAW = np.random.default_rng(3)
WEIGHT = DRAW.standard_normal((7, 40)).astype(np.float32)
WITH, WITHOUT = (DRAW.uniform(0.1, 2, (5, 40)).astype(np.float32) for _ in range(2))


def published(ratio: float) -> set[int]:
    """Step by step: the first of each row, of those with more input with the concept; united."""
    found: set[int] = set()
    count = int(np.ceil(ratio * 40 - 1e-9))
    for own, plain in zip(WITH, WITHOUT, strict=True):
        size = np.abs(WEIGHT) * own
        for row in range(len(WEIGHT)):
            first = sorted(range(40), key=lambda column: (-size[row, column], column))[:count]
            found |= {40 * row + column for column in first if own[column] > plain[column]}
    return found


@pytest.mark.parametrize("ratio", [0.01, 0.025, 0.1, 0.33, 1.0])
def test_one_set_of_values_holds_the_union_of_masks_of_every_ratio(ratio: float) -> None:
    values = importance(WEIGHT, WITH, WITHOUT)
    assert set(most_important(values, ratio).tolist()) == published(ratio)


def test_a_ratio_below_one_weight_still_takes_one() -> None:
    values = importance(WEIGHT, WITH, np.zeros_like(WITH))
    assert len(most_important(values, 1e-6)) >= len(WEIGHT)


def test_a_weight_whose_input_is_never_larger_with_the_concept_has_no_value() -> None:
    assert not importance(WEIGHT, WITHOUT, WITHOUT).any()


def test_values_go_from_zero_to_one() -> None:
    values = importance(WEIGHT, WITH, WITHOUT)
    assert values.dtype == np.float32
    assert values.min() >= 0 and values.max() == 1


def test_of_equal_values_the_left_one_comes_first() -> None:
    places = places_in_row(np.array([[1.0, 3.0, 3.0, 0.5], [2.0, 2.0, 2.0, 2.0]]))
    assert places.tolist() == [[2, 0, 1, 3], [0, 1, 2, 3]]
