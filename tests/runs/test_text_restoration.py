"""A text layer's output at some tokens is that of the clean prompt; the rest stays corrupted."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surgery.model import DiffusersModel
from surgery.probes.base import Arm, Clean, RestoreText
from surgery.probes.roles import ROLES, places
from surgery.runs import Case, Row, Sampling
from surgery.runs.corruption import noise_hooks
from surgery.runs.text_restoration import has_places, restored_text, text_restored
from tests.helpers.probing import FAMILIES, PAIRS, contexts, hooked, model, reading

SAMPLING = Sampling(steps=2, guidance=3.0, noise=3.0)
CASE, OTHER = Case(PAIRS[0], seed=5), Case(PAIRS[1], seed=6, draw=1)
CLEAN, CORRUPTED = Arm("clean", Clean()), Arm("corrupted", RestoreText("", 0, ""))
# SDXL reads the layer before the last.
UNREAD = {"sdxl": 1}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def restoring(kind: str, layer: int, role: str) -> Arm:
    return Arm(kind, RestoreText(kind, layer, role), role)


def last_read(loaded: DiffusersModel, family: str, tower: str) -> int:
    return loaded.layout.towers[tower].layers - 1 - UNREAD.get(family, 0)


def spots(loaded: DiffusersModel, tower: str, case: Case, role: str) -> list[int]:
    tokens = loaded.tokens(tower)
    span = tokens.subject_span(case.pair.source, case.pair.subject)
    end = tokens.eos_position(case.pair.source)
    begins = len(tokens.encode("")) - 1
    return list(places(role, span, end, tokens.max_length, begins))  # type: ignore[arg-type]


def of_tower(loaded: DiffusersModel, tower: str, states: Tensor) -> Tensor:
    """The part of the states that a tower gave: several stand side by side."""
    widths = [loaded.layout.towers[one].width for one in loaded.towers]
    parts = states.split(widths, -1) if len(widths) > 1 else (states,)
    return dict(zip(loaded.towers, parts, strict=True))[tower]


def distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def test_anchors_are_the_clean_and_the_corrupted_text(family: str) -> None:
    loaded = model(family)
    found = restored_text(loaded, [Row(CASE, CORRUPTED), Row(CASE, CLEAN)], SAMPLING)
    prompts = [CASE.pair.source]
    corrupted = loaded.encode(prompts, hooks=noise_hooks(loaded, [CASE], SAMPLING))
    assert distance(found.states[:1], corrupted.states) < 1e-5
    assert distance(found.states[1:], loaded.encode(prompts).states) < 1e-5
    assert distance(found.states[0], found.states[1]) > 1e-2
    if found.pooled is not None:
        assert distance(found.pooled[0], found.pooled[1]) > 1e-3


def test_the_last_layer_that_is_read_gives_clean_states_at_the_roles_places_alone(
    family: str,
) -> None:
    loaded = model(family)
    for tower in loaded.towers:
        layer = last_read(loaded, family, tower)
        rows = [Row(CASE, restoring(f"{tower}.layer", layer, role)) for role in ROLES]
        rows = [row for row in rows if has_places(loaded, row)]
        found = restored_text(loaded, [*rows, Row(CASE, CLEAN), Row(CASE, CORRUPTED)], SAMPLING)
        *states, clean, corrupted = of_tower(loaded, tower, found.states)
        covered = []
        for row, one in zip(rows, states, strict=True):
            inside = spots(loaded, tower, CASE, row.arm.column)
            outside = sorted({*range(len(one))} - {*inside})
            assert distance(one[inside], clean[inside]) < 1e-4
            assert distance(one[outside], corrupted[outside]) < 1e-4
            covered += inside
        assert sorted(covered) == list(range(len(clean)))


@pytest.mark.parametrize("part", ["self_attn", "mlp", "layer"])
def test_every_part_of_a_layer_gives_what_it_gave_in_the_clean_run(family: str, part: str) -> None:
    loaded = model(family)
    for tower in loaded.towers:
        module, kept = loaded.modules(f"{tower}.{part}")[0], list[Tensor]()
        role = "end"
        inside = spots(loaded, tower, CASE, role)
        own = loaded.encode([CASE.pair.source], hooks=[reading(module, kept)]).states
        hooks = noise_hooks(loaded, [CASE], SAMPLING)
        corrupted = loaded.encode([CASE.pair.source], hooks=hooks).states

        def put(output: Tensor, inside: list[int] = inside, kept: list[Tensor] = kept) -> Tensor:
            changed = output.clone()
            changed[:, inside] = kept[0][:, inside]
            return changed

        hooks.append(type(hooks[0])(module, "output", put))
        wanted = loaded.encode([CASE.pair.source], hooks=hooks).states
        row = Row(CASE, restoring(f"{tower}.{part}", 0, role))
        assert distance(restored_text(loaded, [row], SAMPLING).states, wanted) < 1e-5
        assert distance(wanted, corrupted) > 1e-5
        assert distance(wanted, own) > 1e-5


def test_rows_of_several_cases_are_each_restored_from_their_own(family: str) -> None:
    loaded = model(family)
    arms = [CORRUPTED, restoring("text.layer", 0, "last"), CLEAN, restoring("text.mlp", 1, "end")]
    rows = [Row(case, arm) for case in (CASE, OTHER) for arm in arms]
    together = restored_text(loaded, rows, SAMPLING)
    alone = torch.cat([restored_text(loaded, [row], SAMPLING).states for row in rows])
    assert len(together) == len(rows)
    assert distance(together.states, alone) < 1e-4


def test_a_role_that_the_prompt_lacks_has_no_place() -> None:
    loaded = model("sd1")
    first = Row(Case(PAIRS[0], 0), restoring("text.mlp", 0, "after"))
    assert not has_places(loaded, first)
    assert has_places(loaded, Row(CASE, CLEAN)) and has_places(loaded, Row(CASE, CORRUPTED))
    assert has_places(loaded, Row(CASE, restoring("text.mlp", 0, "last")))


def test_pictures_are_painted_of_the_restored_text_and_guidance_stays_clean(family: str) -> None:
    loaded, told = model(family), list[int]()
    rows = [Row(CASE, CORRUPTED), Row(OTHER, restoring("text.layer", 0, "last"))]
    with contexts(loaded) as noted:
        latents = text_restored(loaded, rows, SAMPLING, told.append)
    states = restored_text(loaded, rows, SAMPLING)
    wanted = loaded.denoise(states, [5, 6], steps=SAMPLING.steps, guidance=SAMPLING.guidance)
    assert distance(latents, wanted) < 1e-5
    empty = loaded.context(loaded.empty(2))
    assert all(distance(read, empty) < 1e-5 for read in noted.guidance())
    assert told == [2, 2]
    assert not hooked(loaded)
