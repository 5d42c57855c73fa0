from __future__ import annotations

import math

import numpy as np
import pytest

from surgery.numerics.neurons import p_values, picked, q_values, strongest, z_values


def draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_z_is_the_gap_of_the_means_in_standard_errors() -> None:
    own, plain = draws(0, 9, 3) + 2, draws(1, 5, 3)
    found = z_values(own, plain)
    for channel in range(3):
        a, b = own[:, channel], plain[:, channel]
        error = math.sqrt(np.var(a, ddof=1) / 9 + np.var(b, ddof=1) / 5)
        assert found[channel] == pytest.approx((a.mean() - b.mean()) / error, rel=1e-9)


def test_z_turns_round_with_the_sides_and_knows_no_units() -> None:
    own, plain = draws(0, 9, 3), draws(1, 5, 3)
    np.testing.assert_allclose(z_values(plain, own), -z_values(own, plain))
    np.testing.assert_allclose(z_values(own * 1000, plain * 1000), z_values(own, plain))


def test_a_channel_that_never_changes_says_nothing() -> None:
    same = np.full((4, 2), 3.0)
    np.testing.assert_array_equal(z_values(same, same), 0)
    np.testing.assert_array_equal(z_values(np.zeros((4, 2)), np.zeros((3, 2))), 0)


def test_a_channel_that_only_changes_with_the_concept_is_finite_and_first() -> None:
    own, plain = draws(0, 6, 3), draws(1, 6, 3)
    own[:, 1], plain[:, 1] = 5.0, 3.0
    found = z_values(own, plain)
    assert np.isfinite(found).all()
    assert strongest(found, 1).tolist() == [1]


@pytest.mark.parametrize(("z", "p"), [(0, 1), (1.959964, 0.05), (-2.575829, 0.01), (40, 0)])
def test_p_is_two_sided_and_normal(z: float, p: float) -> None:
    assert p_values(np.array([z]))[0] == pytest.approx(p, abs=1e-6)


def test_q_is_that_of_the_example_in_benjamini_and_hochbergs_paper() -> None:
    # Their 15 p-values; at a rate of 0.05 the first four are discoveries, and no other.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    p += [0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    order = np.random.default_rng(0).permutation(15)
    q = q_values(np.array(p)[order])
    assert sorted(order[q <= 0.05]) == [0, 1, 2, 3]
    assert q[np.argmin(order)] == pytest.approx(0.0015)


def test_q_grows_with_p_and_never_passes_1() -> None:
    p = np.random.default_rng(3).uniform(size=50)
    q = q_values(p)
    assert (q >= p).all()
    assert (q <= 1).all()
    assert (np.diff(q[np.argsort(p)]) >= 0).all()


def test_by_chance_alone_there_are_hardly_any_discoveries() -> None:
    found = [
        np.count_nonzero(q_values(p_values(draws(seed, 200))) <= 0.05) > 0 for seed in range(60)
    ]
    assert np.mean(found) < 0.15


def test_ties_go_to_the_first_channel_whatever_their_sign() -> None:
    assert strongest(np.array([1.0, -2.0, 2.0, -2.0, 0.0]), 3).tolist() == [1, 2, 3]
    assert strongest(np.zeros(4), 2).tolist() == [0, 1]


def test_more_than_there_are_is_all_there_are() -> None:
    assert strongest(np.arange(3.0), 9).tolist() == [2, 1, 0]


def test_rows_of_several_weights_are_picked_together() -> None:
    first, second = picked([np.array([1.0, -5.0, 2.0]), np.array([3.0, 0.0])], 2)
    assert (first.tolist(), second.tolist()) == ([1], [0])
    assert first.dtype == np.int64


def test_a_lesser_count_picks_some_of_the_same_rows() -> None:
    scores = [draws(0, 20), draws(1, 30)]
    few, many = picked(scores, 7), picked(scores, 19)
    assert sum(map(len, few)) == 7
    assert all(set(a) <= set(b) for a, b in zip(few, many, strict=True))


def test_what_chance_may_have_put_there_is_not_picked() -> None:
    scores = [np.array([6.0, 0.5, -7.0]), np.array([0.1, 1.0])]
    first, second = picked(scores, 5, false_discovery=0.05)
    assert (first.tolist(), second.tolist()) == ([0, 2], [])
