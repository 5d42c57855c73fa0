from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.null_space import axes, expanded, main, onto


def states(count: int, width: int = 8) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, width))


@pytest.mark.parametrize("count", [1, 5, 8, 40])
def test_directions_and_shares_are_those_of_the_weighted_second_moment(count: int) -> None:
    given, weights = states(count), np.random.default_rng(1).uniform(0, 2, count)
    found = axes(given, weights)
    moment = given.T * weights @ given
    np.testing.assert_allclose(
        found.basis.T * found.shares @ found.basis, moment / np.trace(moment), atol=1e-14
    )
    assert found.basis.shape == (min(count, 8), 8)
    np.testing.assert_allclose(found.basis @ found.basis.T, np.eye(len(found.basis)), atol=1e-14)
    assert found.shares.tolist() == sorted(found.shares, reverse=True)
    assert found.shares.sum() == pytest.approx(1)


def test_repeated_states_and_other_units_change_no_share() -> None:
    once = axes(states(5), np.ones(5))
    again = axes(np.concatenate([7 * states(5)] * 3), np.ones(15))
    np.testing.assert_allclose(again.shares, once.shares, atol=1e-14)
    assert len(again.basis) == 5


def test_no_states_have_no_directions() -> None:
    for given in (np.zeros((0, 8)), np.zeros((3, 8))):
        found = axes(given, np.ones(len(given)))
        assert (found.basis.shape, found.shares.shape) == ((0, 8), (0,))


def test_the_main_directions_have_the_share_asked_for() -> None:
    given = np.diag([3.0, 2.0, 1.0, 0.0])
    found = axes(given, np.ones(4))
    np.testing.assert_allclose(np.abs(main(found, 4 / 14)), np.eye(4)[:2], atol=1e-14)
    assert len(main(found, 0.9)) == 0


def test_soft_amounts_run_from_none_to_all_and_more_so_with_alpha() -> None:
    shares = np.array([0.0, 0.2, 1.0])
    np.testing.assert_allclose(expanded(shares, 1.0), shares)
    np.testing.assert_allclose(expanded(shares, 2.0), [0, 0.4 / 1.2, 1])
    assert (expanded(shares, 5.0) >= expanded(shares, 2.0)).all()


def test_a_part_lies_in_the_span_and_the_rest_is_square_to_it() -> None:
    basis = axes(states(3), np.ones(3)).basis
    given = states(6)
    part = onto(given, basis)
    np.testing.assert_allclose((given - part) @ basis.T, 0, atol=1e-13)
    np.testing.assert_allclose(onto(part, basis), part, atol=1e-13)
    np.testing.assert_allclose(onto(given, basis, np.full(3, 0.5)), part / 2, atol=1e-13)
