from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from surgery.edits.base import Matrix
from surgery.edits.delta import Mapped
from surgery.edits.rece import Rece
from surgery.edits.uce import Uce
from surgery.layout import Site
from surgery.numerics.adversarial import gram_of, images, restoring
from surgery.numerics.stats import leak

from .contract import VAN_GOGH, context, layout, weights
from .papers import rece as as_published
from .papers import rece_round


def edit(**fields: object) -> Rece:
    return Rece.model_validate({**VAN_GOGH, **fields})


def changed(made: Rece) -> list[np.ndarray]:
    before = weights(made)
    return [delta.added_to(before[site]) for site, delta in made.solve(before, context()).items()]


class Counted(Mapping[Site, Matrix]):
    """Weights that count how often each is read."""

    def __init__(self, given: Mapping[Site, Matrix]) -> None:
        self.given, self.reads = given, dict.fromkeys(given, 0)

    def __getitem__(self, site: Site) -> Matrix:
        self.reads[site] += 1
        return self.given[site]

    def __iter__(self) -> Iterator[Site]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.given)


@pytest.mark.parametrize("rounds", [0, 1, 3])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_it_is_what_the_paper_computes_matrix_by_matrix(rounds: int, strength: float) -> None:
    made = edit(rounds=rounds, strength=strength)
    expected = as_published(made, [*weights(made).values()], context())
    for found, wanted in zip(changed(made), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-8)


def test_without_a_round_it_is_uce() -> None:
    other = Uce.model_validate(VAN_GOGH)
    before = weights(other)
    deltas = other.solve(before, context())
    for found, (site, delta) in zip(changed(edit(rounds=0)), deltas.items(), strict=True):
        np.testing.assert_array_equal(found, delta.added_to(before[site]))


@pytest.mark.parametrize("rounds", [1, 4])
def test_each_weight_is_read_once_whatever_the_rounds(rounds: int) -> None:
    given = Counted(weights(edit()))
    edit(rounds=rounds).solve(given, context())
    assert set(given.reads.values()) == {1}


def test_all_sites_get_one_and_the_same_change() -> None:
    deltas = [*edit().solve(weights(edit()), context()).values()]
    assert all(delta is deltas[0] for delta in deltas)


def test_after_a_round_another_embedding_brings_the_old_outputs_back() -> None:
    """No map that can be inverted closes that door; a longer embedding is all it takes."""
    made = edit(rounds=1)
    gram = gram_of(weights(made).values())
    delta = next(iter(made.solve(weights(made), context()).values()))
    assert isinstance(delta, Mapped)
    factors = delta.left, delta.right
    far = restoring(context().keys, gram, factors, 1e-13)
    old, back = context().keys, images(factors, far)
    assert np.linalg.norm(back - old) < 1e-3 * np.linalg.norm(old)
    assert (np.linalg.norm(far, axis=1) > 2 * np.linalg.norm(old, axis=1)).all()


def test_the_attacking_embeddings_of_a_round_now_read_as_the_targets() -> None:
    made = edit(rounds=1, preserve_scale=0.0, ridge=1e-9)
    before = [*weights(made).values()]
    start = as_published(edit(rounds=0, preserve_scale=0.0, ridge=1e-9), before, context())
    (attack, goals), _ = rece_round(made, before, start, context())
    for last, after in zip(start, changed(made), strict=True):
        assert leak(last, after, attack, goals).max() < 1e-5


def test_it_is_for_every_key_and_value_matrix() -> None:
    assert {site.kind for site in edit().sites(layout())} == {"cross_attn.k", "cross_attn.v"}
