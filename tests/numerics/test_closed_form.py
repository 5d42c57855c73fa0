from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from surgery.numerics.closed_form import (
    Keys,
    feasibility,
    gain,
    ridge_edit,
    shared_factors,
    shared_map,
    solve_cholesky,
    solve_lower,
)
from surgery.numerics.stats import leak

RIDGE = 0.3


def rows(count: int, width: int, seed: int, *, common: float = 0.9) -> np.ndarray:
    """Vectors with a large common part, as hidden states of a text encoder have."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((count, width))
    return np.sqrt(common) * np.random.default_rng(99).standard_normal(width) + (
        np.sqrt(1 - common) * own
    )


def case(n: int = 5, m: int = 7, d: int = 24, **changes: object) -> Keys:
    rng = np.random.default_rng(3)
    keys = Keys(
        edited=rows(n, d, 1),
        weights=rng.uniform(0.5, 2, n),
        preserve=rows(m, d, 2),
        preserve_weights=rng.uniform(0.5, 2, m),
        ridge=RIDGE,
    )
    return replace(keys, **changes)


def weight(out: int = 10, d: int = 24) -> np.ndarray:
    return np.random.default_rng(4).standard_normal((out, d))


def wide(before: np.ndarray, outputs: np.ndarray, keys: Keys) -> np.ndarray:
    """The textbook normal equations, inverse and all."""
    left = outputs.T * keys.weights @ keys.edited + keys.ridge * before
    left += before @ (keys.preserve.T * keys.preserve_weights @ keys.preserve)
    right = keys.edited.T * keys.weights @ keys.edited + keys.ridge * np.eye(before.shape[1])
    right += keys.preserve.T * keys.preserve_weights @ keys.preserve
    return left @ np.linalg.inv(right) - before


def objective(change: torch.Tensor, before: np.ndarray, outputs: np.ndarray, keys: Keys):
    after = torch.from_numpy(before) + change
    missed = (torch.from_numpy(keys.edited) @ after.T - torch.from_numpy(outputs)) ** 2
    moved = (torch.from_numpy(keys.preserve) @ change.T) ** 2
    return (
        (torch.from_numpy(keys.weights)[:, None] * missed).sum()
        + (torch.from_numpy(keys.preserve_weights)[:, None] * moved).sum()
        + keys.ridge * (change**2).sum()
    )


SHAPES = [(1, 0, 24), (5, 0, 24), (5, 7, 24), (5, 23, 24), (5, 24, 24), (5, 90, 24), (40, 7, 24)]


@pytest.mark.parametrize(("n", "m", "d"), SHAPES)
def test_the_thin_solve_equals_the_normal_equations(n: int, m: int, d: int) -> None:
    keys, outputs = case(n, m, d), rows(n, 10, 5)
    up, down = ridge_edit(weight(), outputs, keys)
    expected = wide(weight(), outputs, keys)
    assert np.linalg.norm(up @ down - expected) < 1e-10 * np.linalg.norm(expected)


@pytest.mark.parametrize(("n", "m", "d"), SHAPES)
def test_the_objective_is_stationary_at_the_result(n: int, m: int, d: int) -> None:
    keys, outputs = case(n, m, d), rows(n, 10, 5)
    up, down = ridge_edit(weight(), outputs, keys)
    change = torch.from_numpy(up @ down).requires_grad_()
    objective(change, weight(), outputs, keys).backward()
    at_start = torch.zeros_like(change).requires_grad_()
    objective(at_start, weight(), outputs, keys).backward()
    assert change.grad.norm() < 1e-10 * at_start.grad.norm()


@pytest.mark.parametrize("m", [0, 7, 60])
def test_one_shared_map_edits_every_matrix(m: int) -> None:
    keys, targets = case(5, m), rows(5, 24, 6)
    left, right = shared_factors(targets, keys)
    for out in (10, 40):
        before = np.random.default_rng(out).standard_normal((out, 24))
        up, down = ridge_edit(before, targets @ before.T, keys)
        np.testing.assert_allclose(before @ left @ right, up @ down, atol=1e-12)


def test_the_factors_multiply_to_the_change_and_have_one_rank_per_key() -> None:
    keys, outputs = case(5, 7), rows(5, 10, 5)
    up, down = ridge_edit(weight(), outputs, keys)
    assert up.shape == (10, 5)
    assert down.shape == (5, 24)
    assert np.linalg.matrix_rank(up @ down) == 5


def test_preserve_keys_add_no_rank() -> None:
    assert gain(case(5, 200)).down.shape[0] == 5


def test_more_keys_than_the_input_is_wide_cost_no_more_rank_than_that() -> None:
    assert gain(case(40, 7)).down.shape[0] <= 24


def test_repeated_keys_cost_no_rank_and_change_nothing_else() -> None:
    keys, outputs = case(4, 7), rows(4, 10, 5)
    times = [1, 20, 30, 24]
    repeated = replace(
        keys, edited=np.repeat(keys.edited, times, 0), weights=np.repeat(keys.weights, times)
    )
    counted = replace(keys, weights=keys.weights * times)
    up, down = ridge_edit(weight(), np.repeat(outputs, times, 0), repeated)
    expected_up, expected_down = ridge_edit(weight(), outputs, counted)
    assert down.shape[0] == 4
    np.testing.assert_allclose(up @ down, expected_up @ expected_down, atol=1e-9)


def test_exact_preserving_leaves_the_preserved_outputs_alone() -> None:
    keys, outputs = case(5, 12, exact=True), rows(5, 10, 5)
    up, down = ridge_edit(weight(), outputs, keys)
    assert np.linalg.norm(up @ (down @ keys.preserve.T)) < 1e-9
    assert np.linalg.norm(up @ down) > 1


def test_exact_preserving_is_the_limit_of_firm_preserving() -> None:
    keys, outputs = case(5, 12), rows(5, 10, 5)
    firm = replace(keys, preserve_weights=np.full(12, 1e8))
    up, down = ridge_edit(weight(), outputs, firm)
    exact_up, exact_down = ridge_edit(weight(), outputs, replace(keys, exact=True))
    np.testing.assert_allclose(up @ down, exact_up @ exact_down, atol=1e-6)


def test_keys_and_preserve_keys_may_come_in_any_order() -> None:
    keys, outputs = case(6, 9), rows(6, 10, 5)
    order, other = np.random.default_rng(7).permutation(6), np.random.default_rng(8).permutation(9)
    mixed = replace(
        keys,
        edited=keys.edited[order],
        weights=keys.weights[order],
        preserve=keys.preserve[other],
        preserve_weights=keys.preserve_weights[other],
    )
    up, down = ridge_edit(weight(), outputs, keys)
    mixed_up, mixed_down = ridge_edit(weight(), outputs[order], mixed)
    np.testing.assert_allclose(mixed_up @ mixed_down, up @ down, atol=1e-12)


def test_a_key_or_preserve_key_of_weight_zero_does_not_count() -> None:
    keys, outputs = case(5, 7), rows(5, 10, 5)
    silent = replace(
        keys,
        weights=np.array([*keys.weights[:4], 0]),
        preserve_weights=np.array([*keys.preserve_weights[:6], 0]),
    )
    fewer = replace(
        keys,
        edited=keys.edited[:4],
        weights=keys.weights[:4],
        preserve=keys.preserve[:6],
        preserve_weights=keys.preserve_weights[:6],
    )
    up, down = ridge_edit(weight(), outputs, silent)
    expected_up, expected_down = ridge_edit(weight(), outputs[:4], fewer)
    np.testing.assert_allclose(up @ down, expected_up @ expected_down, atol=1e-11)


def test_an_affine_layer_gives_the_target_output_with_its_bias_once() -> None:
    keys = case(3, 0, ridge=1e-9)
    targets, before, bias = rows(3, 24, 6), weight(), np.arange(10.0)
    up, down = ridge_edit(before, targets @ before.T, keys)
    edited = keys.edited @ (before + up @ down).T + bias
    np.testing.assert_allclose(edited, targets @ before.T + bias, atol=1e-7)


def test_targets_that_are_the_keys_change_nothing() -> None:
    keys = case(5, 7)
    left, _ = shared_factors(keys.edited, keys)
    assert not left.any()


def test_half_precision_factors_are_as_good_as_a_half_precision_product() -> None:
    scale, d, n = 27.7 / np.sqrt(768), 768, 75
    keys = Keys(scale * rows(n, d, 1), np.ones(n), np.empty((0, d)), np.empty(0), ridge=0.01)
    left, right = shared_factors(scale * rows(n, d, 6), keys)
    exact = keys.edited @ right.T @ left.T
    rounded = keys.edited @ right.astype("f2").astype("f8").T @ left.astype("f2").astype("f8").T
    assert np.linalg.norm(rounded - exact) < 2e-3 * np.linalg.norm(exact)


@pytest.mark.parametrize("m", [7, 60])
def test_feasibility_tells_how_much_of_a_key_preserving_leaves_free(m: int) -> None:
    keys = case(2, m, weights=np.ones(2))
    alone = replace(keys, edited=keys.edited[:1], weights=np.ones(1))
    share = feasibility(alone)[0]
    target = rows(1, 24, 6)
    left, right = shared_factors(target, alone)
    moved = (left @ right @ alone.edited[0]) @ (target - alone.edited)[0]
    reach = moved / np.sum((target - alone.edited) ** 2)
    size = np.sum(alone.edited**2)
    assert reach == pytest.approx(share * size / (share * size + RIDGE))


def test_a_key_among_the_preserve_keys_is_not_feasible() -> None:
    keys = case(2, 7, exact=True)
    inside = replace(keys, preserve=np.concatenate([keys.edited[:1], keys.preserve[1:]]))
    shares = feasibility(inside)
    assert shares[0] < 1e-12
    assert 0 < shares[1] <= 1
    np.testing.assert_array_equal(feasibility(case(2, 0)), [1, 1])


def test_a_strong_ridge_keeps_the_weight_and_a_weak_one_reaches_the_target() -> None:
    targets, before = rows(3, 24, 6), weight()
    reached = []
    for ridge in (1e8, 1e-6):
        keys = case(3, 0, ridge=ridge)
        left, right = shared_factors(targets, keys)
        after = before + before @ left @ right
        reached.append(leak(before, after, keys.edited, targets).max())
    assert reached[0] > 0.1
    assert reached[1] < 1e-5


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200])
def test_triangular_solves_agree_with_a_general_solve(size: int) -> None:
    square = rows(size, size + 5, 1, common=0.0)
    lower = np.linalg.cholesky(square @ square.T + np.eye(size))
    right = rows(size, 3, 2)
    np.testing.assert_allclose(lower @ solve_lower(lower, right), right, atol=1e-9)
    np.testing.assert_allclose(lower @ lower.T @ solve_cholesky(lower, right), right, atol=1e-8)


@pytest.mark.parametrize("n", [3, 6, 7, 40])
@pytest.mark.parametrize("m", [0, 30])
def test_the_whole_map_is_the_product_of_the_thin_factors(n: int, m: int) -> None:
    keys, targets = case(n, m), rows(n, 24, 8)
    thin, (left, right) = shared_factors(targets, keys), shared_map(targets, keys)
    assert (right is None) == (n > 24 // 4)
    whole = left if right is None else left @ right
    np.testing.assert_allclose(whole, thin[0] @ thin[1], atol=1e-9)


def test_exact_preserving_is_solved_thin_however_many_keys_there_are() -> None:
    left, right = shared_map(rows(40, 24, 8), case(40, 5, exact=True))
    assert right is not None
    change = weight() @ left @ right
    assert np.abs(change @ case(40, 5).preserve.T).max() < 1e-9
