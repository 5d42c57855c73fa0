from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.bootstrap import crossed_weights, interval

ROUNDS = 4000


def second_moments(levels: int) -> np.ndarray:
    """E[n_i n_k] of the counts of `levels` draws from `levels` boxes."""
    return np.eye(levels) + (1 - 1 / levels)


def test_every_round_is_a_mean_of_runs() -> None:
    weights = crossed_weights((3, 4, 2), 50, seed=1)
    assert weights.shape == (50, 24)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert weights.min() >= 0


def test_a_run_counts_as_often_as_its_levels_were_drawn_together() -> None:
    for row in crossed_weights((3, 4), 20, seed=2).reshape(20, 3, 4):
        np.testing.assert_allclose(row, np.outer(row.sum(1), row.sum(0)), atol=1e-12)
        counts = row.sum(1) * 3
        np.testing.assert_allclose(counts, np.rint(counts), atol=1e-12)


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    weights = crossed_weights((5, 3), 10, seed=3)
    np.testing.assert_array_equal(weights, crossed_weights((5, 3), 10, seed=3))
    assert not np.array_equal(weights, crossed_weights((5, 3), 10, seed=4))


def test_a_factor_of_one_level_changes_nothing() -> None:
    plain = crossed_weights((6,), 10, seed=5)
    np.testing.assert_array_equal(plain, crossed_weights((1, 6, 1), 10, seed=5))
    np.testing.assert_array_equal(crossed_weights((1, 1), 4, seed=5), np.ones((4, 1)))


def test_one_factor_is_the_ordinary_bootstrap() -> None:
    chance = np.random.default_rng(6)
    values = chance.exponential(size=25)
    redrawn = values[chance.integers(0, 25, size=(ROUNDS, 25))].mean(1)
    means = crossed_weights((25,), ROUNDS, seed=7) @ values
    assert means.mean() == pytest.approx(values.mean(), abs=0.02)
    assert means.std() == pytest.approx(values.std() / 5, rel=0.05)
    assert interval(means) == pytest.approx(interval(redrawn), abs=0.04)


@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 2)])
def test_the_spread_is_what_theory_gives_for_independent_factors(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(8).normal(size=shape)
    moment = np.ones((1, 1))
    for levels in shape:
        moment = np.kron(moment, second_moments(levels))
    flat = values.ravel()
    expected = flat @ moment @ flat / values.size**2 - values.mean() ** 2
    means = crossed_weights(shape, 5 * ROUNDS, seed=9) @ flat
    assert means.var() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("spreads", [(1.0, 1.0, 0.5), (1.0, 0.0, 1.0), (0.0, 0.0, 1.0)])
def test_the_interval_holds_the_truth_as_often_as_it_says(
    spreads: tuple[float, float, float],
) -> None:
    prompts, seeds, trials = 24, 20, 300
    weights = crossed_weights((prompts, seeds), 1000, seed=10)
    chance, held = np.random.default_rng(11), 0
    for _ in range(trials):
        by_prompt = chance.normal(scale=spreads[0], size=(prompts, 1))
        by_seed = chance.normal(scale=spreads[1], size=(1, seeds))
        values = by_prompt + by_seed + chance.normal(scale=spreads[2], size=(prompts, seeds))
        low, high = interval(weights @ values.ravel())
        held += low <= 0 <= high
    # Never much less than 95 %; more where single runs are all that varies.
    assert held / trials >= 0.9


def test_runs_taken_as_independent_would_hold_the_truth_far_less_often() -> None:
    trials, chance, held = 200, np.random.default_rng(12), 0
    weights = crossed_weights((24 * 20,), 500, seed=13)
    for _ in range(trials):
        values = chance.normal(size=(24, 1)) + chance.normal(scale=0.5, size=(24, 20))
        low, high = interval(weights @ values.ravel())
        held += low <= 0 <= high
    assert held / trials < 0.6


def test_an_interval_holds_its_share_of_the_rounds() -> None:
    assert interval(np.arange(1001.0), 0.9) == pytest.approx((50, 950))
