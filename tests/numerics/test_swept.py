from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.stats import drift, leak
from surgery.numerics.swept import Seen


@pytest.mark.parametrize("rank", [2, 7, 12])
@pytest.mark.parametrize("rows", [5, 40])
def test_the_figures_are_those_of_the_whole_weights(rank: int, rows: int) -> None:
    draw = np.random.default_rng(rank)
    weight = draw.normal(size=(rows, 12)).astype(np.float32)
    keys, targets, others = (draw.normal(size=(count, 12)) for count in (9, 9, 30))
    up = draw.normal(size=(rows, rank)).astype(np.float32)
    right = draw.normal(size=(rank, 12)).astype(np.float32)
    after = weight + up @ right
    seen = Seen.of(weight, (keys - targets).astype(np.float32), others.astype(np.float32))
    left = seen.leak(up, (keys @ right.T).astype(np.float32))
    moved = seen.drift(up, (others @ right.T).astype(np.float32))
    np.testing.assert_allclose(left, leak(weight, after, keys, targets), rtol=1e-4)
    np.testing.assert_allclose(moved, drift(weight, after, others), rtol=1e-4)


def test_a_key_that_is_its_own_target_leaves_nothing_unless_it_moves() -> None:
    weight, same, none = np.eye(2, dtype=np.float32), np.zeros((1, 2)), np.zeros((0, 2))
    seen = Seen.of(weight, same.astype(np.float32), none.astype(np.float32))
    ones = np.ones((1, 1), np.float32)
    assert seen.leak(np.zeros((2, 1), np.float32), ones) == [0.0]
    assert seen.leak(np.ones((2, 1), np.float32), ones) == [np.inf]
