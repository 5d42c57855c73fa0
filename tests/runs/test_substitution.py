"""Only the asked layers read the other prompt, in the prompt's own branch, row by row."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surgery.model import Conditioning, DiffusersModel
from surgery.probes.base import Arm, Substitute
from surgery.probes.windows import depth
from surgery.runs import Case, Row, Sampling
from surgery.runs.substitution import substituted
from tests.helpers.probing import FAMILIES, PAIRS, contexts, hooked, model

SAMPLING = Sampling(steps=2, guidance=3.0)


@pytest.fixture(params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> DiffusersModel:
    return model(request.param)


def rows(*windows: tuple[int, int]) -> list[Row]:
    """A row for each window, of alternating prompts and of seeds of their own."""
    return [
        Row(Case(PAIRS[number % 2], seed=number), Arm("", Substitute(*window)))
        for number, window in enumerate(windows)
    ]


def run(loaded: DiffusersModel, asked: list[Row]) -> Tensor:
    return substituted(loaded, asked, SAMPLING, lambda done: None)


def painted(loaded: DiffusersModel, told: Conditioning, asked: list[Row]) -> Tensor:
    seeds = [row.case.seed for row in asked]
    return loaded.denoise(told, seeds, steps=SAMPLING.steps, guidance=SAMPLING.guidance)


SAME = 1e-5
"""Of the largest: another order of sums in single precision moves states and latents by less."""


def distance(one: Tensor, other: Tensor) -> float:
    """In units of the largest, where that is above 1: random networks give latents of any size."""
    return float((one - other).abs().max() / other.abs().max().clamp(min=1))


def test_a_window_of_no_layer_is_the_prompt_itself(loaded: DiffusersModel) -> None:
    asked = rows((0, 0), (3, 3))
    told = loaded.encode([row.case.pair.source for row in asked])
    assert distance(run(loaded, asked), painted(loaded, told, asked)) < SAME


def test_a_window_of_all_layers_is_the_other_prompt(loaded: DiffusersModel) -> None:
    asked = rows(*[(0, depth(loaded.layout))] * 2)
    source, target = (
        loaded.encode([getattr(row.case.pair, side) for row in asked])
        for side in ("source", "target")
    )
    changed = run(loaded, asked)
    if loaded.layout.family == "if":
        # The states enter beside the time step as well, where they stay the concept's.
        assert distance(changed, painted(loaded, source, asked)) > 1e-4
        return
    # Pooled text stays that of the concept.
    told = Conditioning(target.states, source.pooled)
    assert distance(changed, painted(loaded, told, asked)) < SAME
    assert distance(changed, painted(loaded, source, asked)) > 1e-3


def test_each_layer_reads_the_other_prompt_in_the_rows_that_ask_for_it(
    loaded: DiffusersModel,
) -> None:
    last = depth(loaded.layout)
    asked = rows((2, 4), (3, 7), (0, 1), (last - 1, last))
    source, target = (
        loaded.context(loaded.encode([getattr(row.case.pair, side) for row in asked]))
        for side in ("source", "target")
    )
    with contexts(loaded) as noted:
        run(loaded, asked)
    for layer in range(last):
        steps = noted.prompts(layer)
        assert len(steps) == SAMPLING.steps
        for row, read in enumerate(asked):
            window = read.arm.intervention
            assert isinstance(window, Substitute)
            wanted = target if window.first <= layer < window.stop else source
            assert all(distance(step[row], wanted[row]) < SAME for step in steps)
    assert distance(source, target) > 1e-2


def test_guidance_reads_the_empty_prompt_in_every_layer(loaded: DiffusersModel) -> None:
    empty = loaded.context(loaded.empty(1))
    with contexts(loaded) as noted:
        run(loaded, rows((0, depth(loaded.layout))))
    assert all(distance(read, empty) < SAME for read in noted.guidance())


def test_a_row_is_the_same_whatever_stands_beside_it() -> None:
    loaded = model("sdxl")
    asked = rows((2, 4), (0, 0), (3, 7), (0, depth(loaded.layout)))
    together = run(loaded, asked)
    alone = torch.cat([run(loaded, [row]) for row in asked])
    assert distance(together, alone) < 1e-4


def test_progress_counts_every_row_at_every_step(loaded: DiffusersModel) -> None:
    told: list[int] = []
    asked = rows((2, 4), (0, 0), (3, 7))
    substituted(loaded, asked, SAMPLING, told.append)
    assert told == [3, 3]
    assert not hooked(loaded)
