"""Noise meets the subject's own tokens where they are embedded, and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surgery.model import DiffusersModel
from surgery.runs import Case, Sampling
from surgery.runs.corruption import noise_hooks
from tests.helpers.probing import FAMILIES, PAIRS, hooked, model

CASE = Case(PAIRS[0], seed=1, draw=0)


@pytest.fixture(params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> DiffusersModel:
    return model(request.param)


def changes(
    loaded: DiffusersModel, cases: list[Case | None], embedded: Tensor, noise: float = 3.0
) -> list[Tensor]:
    """What is added to embeddings, tower by tower."""
    hooks = noise_hooks(loaded, cases, Sampling(1, 1.0, noise))
    return [hook.change(embedded) - embedded for hook in hooks]


def embeddings(rows: int, length: int = 77) -> Tensor:
    # Equal rows, so that what differs is the noise alone.
    one = torch.randn(1, length, 16, generator=torch.Generator().manual_seed(0))
    return one.repeat(rows, 1, 1)


def test_every_tower_is_changed_at_the_tokens_of_the_subject_alone(
    loaded: DiffusersModel,
) -> None:
    found = changes(loaded, [CASE, None], embeddings(2))
    assert len(found) == len(loaded.towers)
    for tower, added in zip(loaded.towers, found, strict=True):
        first, last = loaded.tokens(tower).subject_span(CASE.pair.source, CASE.pair.subject)
        touched = added[0].abs().amax(1) > 0
        assert touched.nonzero().flatten().tolist() == list(range(first, last + 1))
        assert not added[1].any()


def test_the_noise_is_so_many_standard_deviations_of_the_embeddings_it_meets() -> None:
    loaded = model("atelier")
    first, last = loaded.tokens().subject_span(CASE.pair.source, CASE.pair.subject)
    embedded = torch.randn(1, 77, 4096, generator=torch.Generator().manual_seed(0))
    embedded[0, first : last + 1] *= 7
    (added,) = changes(loaded, [CASE], embedded)
    met = added[0, first : last + 1]
    assert float(met.std()) == pytest.approx(
        3 * float(embedded[0, first : last + 1].std()), rel=0.03
    )
    (more,) = changes(loaded, [CASE], embedded, noise=6.0)
    assert torch.allclose(more, 2 * added, atol=1e-4)
    (none,) = changes(loaded, [CASE], embedded, noise=0.0)
    assert not none.any()


def test_noise_is_that_of_the_draw_whatever_seed_and_row() -> None:
    cases: list[Case | None] = [CASE, Case(CASE.pair, seed=2), Case(CASE.pair, seed=1, draw=1)]
    (added,) = changes(model("atelier"), cases, embeddings(3))
    assert torch.equal(added[0], added[1])
    assert not torch.equal(added[0], added[2])
    (alone,) = changes(model("atelier"), [None, CASE], embeddings(2))
    assert torch.equal(alone[1], added[0])


def test_corrupted_text_differs_and_clean_rows_of_its_batch_do_not(
    loaded: DiffusersModel,
) -> None:
    prompts = [CASE.pair.source] * 2
    hooks = noise_hooks(loaded, [CASE, None], Sampling(1, 1.0, 3.0))
    clean, mixed = loaded.encode(prompts).states, loaded.encode(prompts, hooks=hooks).states
    assert float((clean[0] - mixed[0]).abs().max()) > 1e-2
    assert torch.allclose(clean[1], mixed[1], atol=1e-5)
    assert not hooked(loaded)
