from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from surgery.numerics.exact_product import exact_product

KNOWN = ("0x1.1a23ad34960ffp+1", "0x1.bbbff7fe8126ap-8")
RANKS = (1, 2, 3, 64, 65, 300)


def factors(rank: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    spread = np.exp(draw.normal(size=(40, 1)) * 3)
    return draw.normal(size=(40, rank)) * spread, draw.normal(size=(rank, 30))


@pytest.mark.parametrize("rank", RANKS)
def test_the_order_of_the_summands_does_not_change_a_bit(rank: int) -> None:
    up, down = factors(rank)
    order = np.random.default_rng(1).permutation(rank)
    assert np.array_equal(exact_product(up, down), exact_product(up[:, order], down[order]))


@pytest.mark.parametrize("rank", RANKS)
def test_neither_rows_nor_columns_depend_on_the_others(rank: int) -> None:
    up, down = factors(rank)
    whole = exact_product(up, down)
    assert np.array_equal(whole[7:9], exact_product(up[7:9], down))
    assert np.array_equal(whole[:, 5:6], exact_product(up, down[:, 5:6]))
    assert np.array_equal(whole, exact_product(np.asfortranarray(up), np.asfortranarray(down)))


@pytest.mark.parametrize("rank", RANKS)
def test_it_is_the_product_to_about_forty_bits(rank: int) -> None:
    up, down = factors(rank)
    scale = np.abs(up).max(axis=1, keepdims=True) * np.abs(down).max(axis=0)
    assert (np.abs(exact_product(up, down) - up @ down) / scale).max() < 2.0**-37 * rank


def test_small_whole_numbers_come_out_exactly() -> None:
    draw = np.random.default_rng(2)
    up, down = draw.integers(-99, 99, (5, 7)), draw.integers(-99, 99, (7, 6))
    found = exact_product(up.astype(np.float32), down.astype(np.float32))
    true = [
        [
            sum(Fraction(int(a)) * int(b) for a, b in zip(row, column, strict=True))
            for column in down.T
        ]
        for row in up
    ]
    assert [[Fraction(value) for value in row] for row in found.tolist()] == true


def test_zero_rows_and_empty_factors_give_zeros() -> None:
    up, down = factors(3)
    up[4] = 0
    assert not exact_product(up, down)[4].any()
    assert exact_product(up[:, :0], down[:0]).shape == (40, 30)
    assert not exact_product(up[:, :0], down[:0]).any()
    assert exact_product(up[:0], down).shape == (0, 30)


def test_the_same_numbers_in_single_precision_give_the_same_bits() -> None:
    up, down = (each.astype(np.float32) for each in factors(5))
    assert np.array_equal(
        exact_product(up, down), exact_product(up.astype(float), down.astype(float))
    )


def test_the_bits_are_those_of_every_machine() -> None:
    """Hashed once, so that a machine or a numpy that computes otherwise is noticed."""
    steps = np.arange(1, 1 + 12 * 9)
    up = (np.float64(1) / steps).reshape(12, 9)
    down = (np.float64(3) / (steps + 0.5)).reshape(9, 12)
    found = exact_product(up, down)
    assert found[0, 0].hex() == KNOWN[0]
    assert found[11, 11].hex() == KNOWN[1]
