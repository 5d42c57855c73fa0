from __future__ import annotations

import math

import numpy as np
import pytest

from surgery.numerics import activations
from surgery.numerics.activations import ACTIVATIONS, gelu, quick_gelu


def by_erf(values: np.ndarray) -> np.ndarray:
    return np.array([0.5 * x * (1 + math.erf(x / math.sqrt(2))) for x in values.tolist()])


def test_gelu_is_that_of_the_error_function_to_single_precision() -> None:
    draw = np.random.default_rng(0)
    values = np.concatenate([draw.uniform(-8, 8, 200_000), draw.normal(0, 1e-3, 1000)])
    values = values.astype(np.float32)
    found = values.copy()
    gelu(found)
    error = np.abs(found - by_erf(values.astype(np.float64)))
    assert (error < 1e-8 + 1.2e-7 * np.abs(values)).all()


def test_the_lines_between_steps_are_within_a_hundred_millionth() -> None:
    starts, slopes = activations._table()
    steps = np.arange(-activations._REACH, activations._REACH)
    middles = (steps + 0.5) / activations._STEPS
    rise = by_erf((steps + 1.0) / activations._STEPS) - by_erf(steps / activations._STEPS)
    lines = by_erf(steps / activations._STEPS) + 0.5 * rise
    assert np.abs(lines - by_erf(middles)).max() < 1e-8
    np.testing.assert_allclose(slopes[1:-1], rise, rtol=1e-6)
    assert len(starts) == len(slopes) == len(steps) + 2


def test_gelu_goes_on_beyond_its_table() -> None:
    values = np.array([-1e30, -50, -6.1, -6, 0, 6, 6.1, 50, 3e4], np.float32)
    gelu(values)
    wanted = [0, 0, 0, 0, 0, 6, 6.1, 50, 3e4]
    np.testing.assert_allclose(values, wanted, atol=1e-8, rtol=1e-6)


def test_quick_gelu_is_a_sigmoid_and_does_not_overflow() -> None:
    values = np.array([-1e4, -3, -0.5, 0, 0.5, 3, 1e4], np.float32)
    wide = values.astype(np.float64)
    wanted = wide / (1 + np.exp(np.minimum(-1.702 * wide, 700)))
    with np.errstate(all="raise", under="ignore"):
        quick_gelu(values)
    np.testing.assert_allclose(values, wanted, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_long_input_is_handled_in_pieces_and_in_place(name: str, monkeypatch) -> None:
    values = np.random.default_rng(1).normal(size=(31, 17)).astype(np.float32)
    whole, pieces = values.copy(), values.copy()
    ACTIVATIONS[name](whole)
    monkeypatch.setattr(activations, "_PIECE", 10)
    ACTIVATIONS[name](pieces)
    np.testing.assert_array_equal(whole, pieces)
    assert not np.allclose(whole, values)
