from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.rank import SKETCH, numerical_rank
from surgery.numerics.tensors import decode, encode


def stored_change(shape: tuple[int, int], rank: int, dtype: str, size: float) -> list[np.ndarray]:
    """The difference that a change of `rank` leaves after rounding, and the weights' sizes."""
    draw = np.random.default_rng(rank)
    weights = decode(encode(draw.normal(0, 0.03, shape), dtype), dtype, shape)
    change = draw.normal(size=(shape[0], rank)) @ draw.normal(size=(rank, shape[1])) * size
    after = decode(encode(weights + change, dtype), dtype, shape)
    sizes = np.maximum(np.abs(weights), np.abs(after))
    return [(after - weights).astype(np.float32), sizes.astype(np.float32)]


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("rank", [1, 4, 13])
@pytest.mark.parametrize("size", [0.003, 1.0])
def test_rounding_does_not_hide_the_rank_of_a_change(rank: int, dtype: str, size: float) -> None:
    assert numerical_rank(*stored_change((96, 64), rank, dtype, size), dtype) == rank


def test_wide_matrices_give_the_same_rank_from_a_sketch() -> None:
    shape = (2 * SKETCH + 8, 2 * SKETCH + 18)
    assert numerical_rank(*stored_change(shape, 7, "F16", 0.003), "F16") == 7


def test_a_wide_change_of_full_rank_has_no_figure() -> None:
    side = 2 * SKETCH + 8
    delta = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    assert numerical_rank(delta, np.abs(delta), "F32") is None


def test_a_small_change_of_full_rank_has_its_rank() -> None:
    delta = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    assert numerical_rank(delta, np.abs(delta), "F32") == 20


@pytest.mark.parametrize("shape", [(5, 5), (0, 4), (4, 0)])
def test_no_change_has_rank_zero(shape: tuple[int, int]) -> None:
    assert numerical_rank(np.zeros(shape, np.float32), np.ones(shape, np.float32), "F16") == 0
