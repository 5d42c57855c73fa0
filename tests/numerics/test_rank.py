from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.rank import SKETCH, numerical_rank
from surgery.numerics.tensors import decode, encode


def stored_change(shape: tuple[int, int], rank: int, dtype: str) -> tuple[np.ndarray, float]:
    """The difference that a change of `rank` leaves after rounding, and the weights' RMS."""
    draw = np.random.default_rng(rank)
    weights = decode(encode(draw.normal(0, 0.03, shape), dtype), dtype, shape)
    change = draw.normal(size=(shape[0], rank)) @ draw.normal(size=(rank, shape[1])) * 0.003
    after = decode(encode(weights + change, dtype), dtype, shape)
    return (after - weights).astype(np.float32), float(np.sqrt(np.mean(weights**2)))


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("rank", [1, 4, 13])
def test_rounding_does_not_hide_the_rank_of_a_change(rank: int, dtype: str) -> None:
    delta, rms = stored_change((96, 128), rank, dtype)
    assert numerical_rank(delta, rms, dtype) == rank


def test_wide_matrices_give_the_same_rank_from_a_sketch() -> None:
    delta, rms = stored_change((700, 800), 7, "F16")
    assert numerical_rank(delta, rms, "F16") == 7


def test_a_wide_change_of_full_rank_has_no_figure() -> None:
    delta = np.random.default_rng(0).normal(size=(600, 700)).astype(np.float32)
    assert numerical_rank(delta, 1.0, "F32") is None
    assert SKETCH < 600


def test_a_small_change_of_full_rank_has_its_rank() -> None:
    delta = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    assert numerical_rank(delta, 1.0, "F32") == 20


@pytest.mark.parametrize("shape", [(5, 5), (0, 4), (4, 0)])
def test_no_change_has_rank_zero(shape: tuple[int, int]) -> None:
    assert numerical_rank(np.zeros(shape, np.float32), 1.0, "F16") == 0
