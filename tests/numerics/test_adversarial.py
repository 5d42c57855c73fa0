from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from surgery.numerics.adversarial import (
    composed,
    cross_gram,
    gram_of,
    images,
    recalling,
    restoring,
    through,
    worst_leak,
)

WIDTH = 12
RNG = np.random.default_rng(0)
WEIGHTS = [RNG.standard_normal((rows, WIDTH)) for rows in (5, 9, 30)]
KEYS, TARGETS = RNG.standard_normal((2, 4, WIDTH))
THIN = RNG.standard_normal((WIDTH, 3)) / 3, RNG.standard_normal((3, WIDTH)) / 3
OTHER = RNG.standard_normal((WIDTH, 2)) / 3, RNG.standard_normal((2, WIDTH)) / 3
WHOLE = THIN[0] @ THIN[1], None
RIDGE = 0.05


def matrix(factors: tuple[np.ndarray, np.ndarray | None]) -> np.ndarray:
    left, right = factors
    return np.eye(WIDTH) + (left if right is None else left @ right)


def test_the_gram_matrix_is_that_of_all_outputs_side_by_side() -> None:
    stacked = np.concatenate(WEIGHTS)
    np.testing.assert_allclose(gram_of(WEIGHTS), stacked.T @ stacked, atol=1e-12)
    single = gram_of(weight.astype(np.float32) for weight in WEIGHTS)
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, stacked.T @ stacked, rtol=1e-4, atol=1e-4)


def test_every_weight_is_looked_at_once_and_none_is_kept() -> None:
    read = []

    def stream() -> Iterator[np.ndarray]:
        for number, weight in enumerate(WEIGHTS):
            read.append(number)
            yield weight

    gram_of(stream())
    assert read == [0, 1, 2]
    assert gram_of([]).shape == (0, 0)


@pytest.mark.parametrize("factors", [THIN, WHOLE])
def test_a_map_acts_as_its_matrix(factors: tuple[np.ndarray, np.ndarray | None]) -> None:
    np.testing.assert_allclose(images(factors, KEYS), KEYS @ matrix(factors).T, atol=1e-12)
    np.testing.assert_allclose(through(factors, KEYS), KEYS @ matrix(factors), atol=1e-12)


@pytest.mark.parametrize("outer", [THIN, WHOLE])
@pytest.mark.parametrize("inner", [OTHER, (OTHER[0] @ OTHER[1], None)])
def test_maps_are_composed_as_matrices_are(outer, inner) -> None:
    found = composed(outer, inner)
    np.testing.assert_allclose(matrix(found), matrix(outer) @ matrix(inner), atol=1e-12)


def test_thin_maps_stay_thin_until_their_product_is_not() -> None:
    left, right = composed(THIN, OTHER)
    assert (left.shape, right.shape) == ((WIDTH, 5), (5, WIDTH))
    assert composed(composed(THIN, OTHER), THIN)[1] is None


@pytest.mark.parametrize("factors", [THIN, WHOLE])
def test_what_brings_old_outputs_back_is_the_minimiser_it_says(factors) -> None:
    found = restoring(KEYS, gram_of(WEIGHTS), factors, RIDGE)
    attack = torch.tensor(found.copy(), requires_grad=True)
    size = RIDGE * sum((weight**2).sum() for weight in WEIGHTS) / WIDTH
    total = size * (attack**2).sum()
    for weight in map(torch.tensor, WEIGHTS):
        after = weight @ torch.tensor(matrix(factors))
        total = total + ((attack @ after.T - torch.tensor(KEYS) @ weight.T) ** 2).sum()
    total.backward()
    assert attack.grad.norm() < 1e-10 * total


def test_where_nothing_was_edited_a_key_brings_its_own_output_back() -> None:
    nothing = np.zeros((WIDTH, 1)), np.zeros((1, WIDTH))
    found = restoring(KEYS, gram_of(WEIGHTS), nothing, 1e-12)
    np.testing.assert_allclose(found, KEYS, atol=1e-8)
    left = worst_leak(KEYS, TARGETS, gram_of(WEIGHTS), nothing, 1e-12)
    np.testing.assert_allclose(left, 1, atol=1e-8)


def test_the_worst_leak_is_that_of_outputs_side_by_side() -> None:
    attack = restoring(KEYS, gram_of(WEIGHTS), THIN, RIDGE)
    stacked = np.concatenate(WEIGHTS)
    missed = attack @ (stacked @ matrix(THIN)).T - TARGETS @ stacked.T
    whole = (KEYS - TARGETS) @ stacked.T
    expected = np.linalg.norm(missed, axis=1) / np.linalg.norm(whole, axis=1)
    found = worst_leak(KEYS, TARGETS, gram_of(WEIGHTS), THIN, RIDGE)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_longer_reach_brings_more_of_the_old_outputs_back() -> None:
    gram, stacked = gram_of(WEIGHTS), np.concatenate(WEIGHTS)
    missed = [
        np.linalg.norm((images(THIN, restoring(KEYS, gram, THIN, ridge)) - KEYS) @ stacked.T)
        for ridge in (10.0, 0.1, 0.001, 1e-6)
    ]
    assert missed == sorted(missed, reverse=True)


def test_a_key_that_is_its_target_leaks_nothing_unless_it_moved() -> None:
    nothing = np.zeros((WIDTH, 1)), np.zeros((1, WIDTH))
    zero = np.zeros((1, WIDTH))
    assert worst_leak(zero, zero, gram_of(WEIGHTS), nothing, RIDGE).tolist() == [0.0]
    assert worst_leak(KEYS, KEYS, gram_of(WEIGHTS), THIN, RIDGE).tolist() == [np.inf] * 4


EDITED = [weight + 0.3 * RNG.standard_normal(weight.shape) for weight in WEIGHTS]


def test_the_crossed_gram_matrix_is_that_of_both_outputs_side_by_side() -> None:
    stacked = np.concatenate(EDITED).T @ np.concatenate(WEIGHTS)
    np.testing.assert_allclose(cross_gram(EDITED, WEIGHTS), stacked, atol=1e-12)
    with pytest.raises(ValueError, match="longer"):
        cross_gram(EDITED[:2], WEIGHTS)


def test_what_is_recalled_is_the_stationary_point_of_what_it_minimises() -> None:
    gram = gram_of(EDITED)
    found = torch.tensor(recalling(KEYS, gram, cross_gram(EDITED, WEIGHTS), RIDGE).copy())
    found.requires_grad_()
    size = RIDGE * np.trace(gram) / WIDTH
    loss = size * (found**2).sum()
    for old, new in zip(WEIGHTS, EDITED, strict=True):
        wanted = torch.tensor(KEYS @ old.T)
        loss = loss + ((found @ torch.tensor(new).T - wanted) ** 2).sum()
    (slope,) = torch.autograd.grad(loss, found)
    assert float(slope.abs().max()) < 1e-9 * float(loss.detach())


def test_what_any_weights_recall_is_what_a_shared_map_restores() -> None:
    edited = [weight @ matrix(THIN) for weight in WEIGHTS]
    gram, mean = gram_of(edited), np.trace(gram_of(WEIGHTS)) / np.trace(gram_of(edited))
    found = recalling(KEYS, gram, cross_gram(edited, WEIGHTS), RIDGE * mean)
    np.testing.assert_allclose(found, restoring(KEYS, gram_of(WEIGHTS), THIN, RIDGE), atol=1e-10)
