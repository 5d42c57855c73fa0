"""What a mask takes by score, and what it is foretold to move."""

from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.masked import foretold_drift, share_left

DRAW = np.random.default_rng(1)
WEIGHT = DRAW.standard_normal((6, 9))


def without(*places: int) -> np.ndarray:
    after = WEIGHT.copy()
    after.ravel()[list(places)] = 0
    return after


def test_what_is_left_is_the_share_of_positive_scores_that_stand_on_kept_weights() -> None:
    values = np.zeros((6, 9))
    values.ravel()[[0, 5, 17]] = 3.0, 1.0, -8.0
    assert share_left(values, WEIGHT, without(0)) == pytest.approx(0.25)
    assert share_left(values, WEIGHT, without(17)) == 1.0
    assert share_left(values, WEIGHT, without(0, 5)) == 0.0


def test_a_row_is_left_where_none_of_its_weights_went() -> None:
    values = np.array([1.0, 3.0, 0, 0, 0, 0])
    assert share_left(values, WEIGHT, without(0)) == 0.75


def test_with_nothing_that_speaks_for_it_all_is_left() -> None:
    assert share_left(-np.ones((6, 9)), WEIGHT, without(3)) == 1.0


def test_drift_is_that_of_inputs_that_do_not_go_together() -> None:
    sizes = DRAW.uniform(0.5, 2, 9)
    inputs = DRAW.standard_normal((200_000, 9)) * sizes
    after = without(2, 11, 12, 40)
    true = np.linalg.norm(inputs @ (after - WEIGHT).T) / np.linalg.norm(inputs @ WEIGHT.T)
    assert foretold_drift(WEIGHT, after, sizes) == pytest.approx(true, rel=0.01)


def test_a_weight_that_reads_nothing_moves_nothing() -> None:
    assert foretold_drift(WEIGHT, without(1), np.zeros(9)) == 0.0
