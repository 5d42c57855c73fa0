from __future__ import annotations

import math

import numpy as np
import pytest

from surgery.numerics.paired import (
    mean_interval,
    newcombe,
    paired_weights,
    ratio_interval,
    wilson,
)

ROUNDS = 4000


def width(prompts: list[int], seeds: list[int], values: list[float]) -> float:
    low, high = mean_interval(np.array(values), paired_weights(prompts, seeds, ROUNDS))
    return high - low


def test_every_round_is_a_mean_of_pairs() -> None:
    weights = paired_weights("aabbcc", [1, 2, 1, 2, 1, 2], 50)
    assert weights.shape == (50, 6)
    np.testing.assert_allclose(weights.sum(1), 1)


def test_equal_seeds_give_equal_weights_and_another_one_others() -> None:
    first = paired_weights("abcd", [1, 2, 3, 4], 20)
    np.testing.assert_array_equal(first, paired_weights("abcd", [1, 2, 3, 4], 20))
    assert not np.array_equal(first, paired_weights("abcd", [1, 2, 3, 4], 20, seed=1))


def test_prompts_with_one_seed_each_are_drawn_like_single_pictures() -> None:
    values = [0.0] * 50 + [1.0] * 50
    assert width(list(range(100)), list(range(100)), values) == pytest.approx(0.196, abs=0.02)


def test_pictures_of_one_prompt_are_drawn_together() -> None:
    prompts = [number // 10 for number in range(100)]
    alike = [float(number < 50) for number in range(100)]
    assert width(prompts, list(range(100)), alike) == pytest.approx(0.6, abs=0.1)


def test_seeds_of_all_prompts_are_drawn_too() -> None:
    prompts = [number // 10 for number in range(100)]
    seeds = [number % 10 for number in range(100)]
    by_seed = [float(number % 10 < 5) for number in range(100)]
    assert width(prompts, seeds, by_seed) == pytest.approx(0.6, abs=0.1)


def test_one_prompt_is_no_level_to_draw_from() -> None:
    values = [0.0] * 50 + [1.0] * 50
    assert width([7] * 100, list(range(100)), values) == pytest.approx(0.196, abs=0.02)


def test_a_round_that_drew_nothing_is_an_even_mean() -> None:
    # Two prompts and two seeds, never the same: a round may draw a prompt and the other's seed.
    weights = paired_weights(["a", "a", "b"], [1, 2, 1], 500)
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights.sum(1), 1)


def test_a_ratio_leaves_out_rounds_without_anything_below() -> None:
    weights = paired_weights("abcdefgh", range(8), ROUNDS)
    under = np.array([1.0, 1, 1, 1, 1, 0, 0, 0])
    low, high = ratio_interval(under * [1, 1, 1, 1, 0, 0, 0, 0], under, weights)
    assert 0 <= low < 0.8 < high <= 1
    assert ratio_interval(np.zeros(8), np.zeros(8), weights) == (0.0, 1.0)


def test_wilson_gives_the_textbook_interval() -> None:
    assert wilson(0.2, 10) == pytest.approx((0.0567, 0.5098), abs=1e-4)
    low, high = wilson(0.0, 35)
    assert low == pytest.approx(0.0, abs=1e-12)
    assert high == pytest.approx(0.0989, abs=1e-4)


def test_newcombe_gives_the_published_interval() -> None:
    # Newcombe 1998, table II, method 10, first row: 36 both, 12 and 2 one alone, 0 neither.
    first = [True] * 36 + [True] * 12 + [False] * 2
    second = [True] * 36 + [False] * 12 + [True] * 2
    assert newcombe(second, first) == pytest.approx((0.0569, 0.3404), abs=1e-4)


@pytest.mark.parametrize("cells", [(0.9, 0.02, 0.06, 0.02), (0.05, 0.0, 0.9, 0.05)])
def test_newcombe_holds_the_true_change_as_often_as_it_says(
    cells: tuple[float, float, float, float],
) -> None:
    chance, held = np.random.default_rng(0), 0
    for _ in range(400):
        drawn = chance.choice(4, size=40, p=cells)
        before, after = np.isin(drawn, [0, 2]).tolist(), np.isin(drawn, [0, 1]).tolist()
        low, high = newcombe(before, after)
        held += low <= cells[1] - cells[2] <= high
    assert held / 400 > 0.93


def test_a_change_of_all_pictures_still_has_an_interval() -> None:
    low, high = newcombe([True] * 20, [False] * 20)
    assert low == -1.0
    assert -1 < high < -0.7
    assert not math.isnan(high)


def test_no_change_has_an_interval_around_nothing() -> None:
    low, high = newcombe([True, False] * 20, [True, False] * 20)
    assert low < 0 < high
    assert high == pytest.approx(-low)
