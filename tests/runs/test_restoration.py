"""One layer gives at every step what it gave in the clean run; all else follows from that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from surgery.hooks import Hook, intervene
from surgery.model import DiffusersModel
from surgery.probes.base import Arm, Clean, Restore
from surgery.runs import Case, Row, Sampling
from surgery.runs.corruption import noise_hooks
from surgery.runs.restoration import restored
from tests.helpers.probing import FAMILIES, PAIRS, contexts, hooked, model, reading

SAMPLING = Sampling(steps=2, guidance=3.0, noise=3.0)
CASES = (Case(PAIRS[0], seed=5), Case(PAIRS[1], seed=6, draw=1))
CLEAN, CORRUPTED = Arm("clean", Clean()), Arm("corrupted", Restore("", 0))
KINDS = ("self_attn", "cross_attn", "ff", "resnet")
NEAR = 1e-4
"""Of latents as large as ten, after two steps in batches of other sizes."""


@pytest.fixture(params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> DiffusersModel:
    return model(request.param)


def run(loaded: DiffusersModel, rows: list[Row]) -> Tensor:
    return restored(loaded, rows, SAMPLING, lambda done: None)


def painted(loaded: DiffusersModel, case: Case, *, clean: bool, hooks: list[Hook]) -> Tensor:
    """The clean or the corrupted run of a case, as a plain sampling."""
    noise = [] if clean else noise_hooks(loaded, [case], SAMPLING)
    told = loaded.encode([case.pair.source], hooks=noise)
    steps, guidance = SAMPLING.steps, SAMPLING.guidance
    return loaded.denoise(told, [case.seed], steps=steps, guidance=guidance, hooks=hooks)


def published(loaded: DiffusersModel, case: Case, kind: str, index: int) -> Tensor:
    """Keep what the layer gives in the clean run, and put it into the corrupted one."""
    module, kept = loaded.modules(kind)[index], list[Tensor]()
    painted(loaded, case, clean=True, hooks=[reading(module, kept)])
    steps: Iterator[Tensor] = iter(kept)
    put = Hook(module, "output", lambda output: next(steps))
    return painted(loaded, case, clean=False, hooks=[put])


def distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def test_a_restored_run_is_the_published_one_and_anchors_are_plain_samplings(
    loaded: DiffusersModel,
) -> None:
    places = [(kind, 1) for kind in KINDS if loaded.modules(kind)]
    arms = [CORRUPTED, *(Arm(kind, Restore(kind, index)) for kind, index in places), CLEAN]
    case = CASES[0]
    latents = run(loaded, [Row(case, arm) for arm in arms])
    corrupted = painted(loaded, case, clean=False, hooks=[])
    assert distance(latents[:1], corrupted) < NEAR
    assert distance(latents[-1:], painted(loaded, case, clean=True, hooks=[])) < NEAR
    assert distance(latents[-1], latents[0]) > 1e-3
    for number, (kind, index) in enumerate(places, start=1):
        assert distance(latents[number : number + 1], published(loaded, case, kind, index)) < NEAR
        assert distance(latents[number], latents[0]) > NEAR


def test_restoring_in_the_clean_run_would_change_nothing(loaded: DiffusersModel) -> None:
    quiet = Sampling(SAMPLING.steps, SAMPLING.guidance, noise=0.0)
    arms = [CLEAN, Arm("", Restore("resnet", 1)), Arm("", Restore("cross_attn", 2))]
    latents = restored(loaded, [Row(CASES[0], arm) for arm in arms], quiet, lambda done: None)
    assert distance(latents, latents[:1].expand_as(latents)) < NEAR


@pytest.mark.parametrize("family", ["if", "sdxl"])
def test_rows_of_several_cases_are_each_restored_from_their_own(family: str) -> None:
    loaded = model(family)
    arms = [Arm("", Restore("resnet", 3)), CLEAN, Arm("", Restore("cross_attn", 4)), CORRUPTED]
    rows = [Row(case, arm) for case in CASES for arm in arms]
    alone = torch.cat([run(loaded, [row]) for row in rows])
    assert distance(run(loaded, rows), alone) < 1e-4


def test_guidance_reads_the_empty_prompt_without_noise(loaded: DiffusersModel) -> None:
    empty = loaded.context(loaded.empty(1))[0]
    with contexts(loaded) as noted:
        run(loaded, [Row(CASES[0], CORRUPTED), Row(CASES[1], Arm("", Restore("resnet", 0)))])
    assert all(distance(read, empty.expand_as(read)) < 1e-5 for read in noted.guidance())


def test_the_rows_are_counted_and_their_companions_are_evaluated(loaded: DiffusersModel) -> None:
    told: list[int] = []
    before = loaded.evaluations
    rows = [Row(CASES[0], CORRUPTED), Row(CASES[1], Arm("", Restore("resnet", 0)))]
    latents = restored(loaded, rows, SAMPLING, told.append)
    assert len(latents) == 2
    assert told == [2, 2]
    assert loaded.evaluations - before == (2 + 1) * SAMPLING.steps * 2
    assert not hooked(loaded)


def test_other_hooks_of_the_same_layer_are_left_as_they_were() -> None:
    loaded, kept = model("sd1"), list[Tensor]()
    with intervene([reading(loaded.modules("resnet")[0], kept)]):
        run(loaded, [Row(CASES[0], Arm("", Restore("resnet", 0)))])
        assert len(hooked(loaded)) == 1
    assert len(kept) == SAMPLING.steps
