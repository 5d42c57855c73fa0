from __future__ import annotations

import math

import numpy as np
import pytest

from tests.helpers.agreement import ranks, spearman


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    np.testing.assert_array_equal(ranks([10, 30, 20, 20, 50]), [1, 4, 2.5, 2.5, 5])


def test_spearman_is_what_the_formula_gives_by_hand() -> None:
    # Ranks 1 2 3 4 5 and 2 1 4 3 5: the squared differences add up to 4; 1 - 6 * 4 / (5 * 24).
    assert spearman([1, 2, 3, 4, 5], [0.2, 0.1, 4, 3, 50]) == pytest.approx(0.8)


def test_spearman_with_ties_is_the_correlation_of_the_ranks() -> None:
    # Ranks 1 2.5 2.5 4 and 1 2 3 4, less 2.5: products 2.25 + 0 + 0 + 2.25, sizes 4.5 and 5.
    assert spearman([7, 8, 8, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))


def test_only_the_order_counts() -> None:
    chance = np.random.default_rng(0)
    a, b = chance.normal(size=30), chance.normal(size=30)
    assert spearman(np.exp(a), b**3) == pytest.approx(spearman(a, b))
    assert spearman(a, a) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)


def test_what_ranks_nothing_agrees_with_nothing() -> None:
    assert math.isnan(spearman([1, 1, 1], [1, 2, 3]))
