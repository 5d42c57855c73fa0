from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surgery.edits.double_projection import DoubleProjection

from .contract import PARTLY, context, weights
from .papers import null_projector, safe


def edit(**fields: object) -> DoubleProjection:
    return DoubleProjection.model_validate({**PARTLY, **fields})


def step(made: DoubleProjection, given) -> tuple[np.ndarray, np.ndarray]:
    site, before = next(iter(weights(made).items()))
    change = made.solve({site: before}, given)[site].of(before)
    return before, change.up @ change.down


def test_one_key_without_a_ridge_is_what_the_paper_computes() -> None:
    many = context()
    given = replace(
        many,
        keys=many.keys[:1],
        targets=many.targets[:1],
        key_labels=many.key_labels[:1],
        key_weights=many.key_weights[:1],
    )
    before, found = step(edit(ridge=1e-13), given)
    null = null_projector(given.preserve, given.preserve_weights, 0.03)
    sizes, vectors = np.linalg.eigh(null)
    basis = vectors[:, sizes > 0.5]
    key = given.keys[0]
    inside = basis.T @ key
    goal = safe(given.keys, given.targets)[0]
    expected = np.outer(before @ (goal - key), inside @ basis.T) / (inside @ inside)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose((before + found) @ key, before @ goal, rtol=1e-7, atol=1e-7)


def test_a_key_becomes_the_part_of_it_that_its_own_targets_span() -> None:
    given = replace(context(), key_labels=("van gogh",) * 2 + ("r2d2",) * 4)
    goals = edit().targets(given)
    for rows in (slice(0, 2), slice(2, 6)):
        expected = safe(given.keys[rows], given.targets[rows])
        np.testing.assert_allclose(goals[rows], expected, atol=1e-10)


def test_strength_goes_part_of_the_way() -> None:
    given = context()
    full, half = edit().targets(given), edit(strength=0.5).targets(given)
    np.testing.assert_allclose(half, (given.keys + full) / 2, atol=1e-12)


@pytest.mark.parametrize("threshold", [1e-9, 0.03])
def test_what_is_held_moves_only_in_directions_below_the_threshold(threshold: float) -> None:
    given = context()
    _, found = step(edit(threshold=threshold), given)
    null = null_projector(given.preserve, given.preserve_weights, threshold)
    np.testing.assert_allclose(found @ null, found, atol=1e-11)
