from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surgery.edits.cure import Cure

from .contract import BARE, context, weights
from .papers import cure as as_published
from .papers import soft_projector


def edit(**fields: object) -> Cure:
    return Cure.model_validate({**BARE, **fields})


def step(made: Cure, given) -> tuple[np.ndarray, np.ndarray]:
    site, before = next(iter(weights(made).items()))
    change = made.solve({site: before}, given)[site].of(before)
    return before, change.up @ change.down


@pytest.mark.parametrize("alpha", [1.0, 2.0, 50.0])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_it_is_what_the_paper_computes(alpha: float, strength: float) -> None:
    made = edit(alpha=alpha, strength=strength)
    before, found = step(made, context())
    np.testing.assert_allclose(found, as_published(made, before, context()), atol=1e-12)


def test_its_rank_is_that_of_what_is_forgotten() -> None:
    delta = next(iter(edit().solve(weights(edit()), context()).values()))
    assert delta.rank == 6


def test_where_nothing_is_retained_a_lone_direction_goes_altogether() -> None:
    empty = replace(context(m=0), preserve_weights=np.zeros(0))
    one = np.repeat(empty.keys[:1], 6, axis=0)
    before, found = step(edit(), replace(empty, keys=one))
    np.testing.assert_allclose((before + found) @ one[0], 0, atol=1e-12)


def test_what_is_retained_whole_does_not_move() -> None:
    lone = np.repeat(context().preserve[:1], 9, axis=0)
    before, found = step(edit(), replace(context(), preserve=lone))
    np.testing.assert_allclose(found @ lone[0], 0, atol=1e-12)
    assert np.linalg.norm(found) > 0.05 * np.linalg.norm(before)


def test_the_target_does_not_enter() -> None:
    other = replace(context(), targets=context().targets[::-1])
    np.testing.assert_array_equal(step(edit(), other)[1], step(edit(), context())[1])


def test_what_is_free_of_a_key_is_what_the_retained_directions_leave() -> None:
    given = context()
    retain = soft_projector(given.preserve, given.preserve_weights, 2.0)
    free = edit().feasibility(given)
    key = given.keys[0]
    assert free[0] == pytest.approx(1 - key @ retain @ key / (key @ key))


def test_it_has_no_ridge_and_no_scale() -> None:
    assert not {"ridge", "preserve_scale"} & set(Cure.model_fields)
