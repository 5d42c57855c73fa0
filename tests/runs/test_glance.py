"""Two steps of each run: what they are, what they cost, and that rows keep to themselves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from surgery.model import DiffusersModel
from surgery.probes.base import Arm, Substitute
from surgery.probes.windows import depth
from surgery.runs import Case, Row, Sampling
from surgery.runs.glance import glanced
from tests.helpers.probing import FAMILIES, PAIRS, contexts, hooked, model

GUIDED, ALONE = Sampling(steps=50, guidance=3.0), Sampling(steps=50, guidance=1.0)


@pytest.fixture(params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> DiffusersModel:
    return model(request.param)


def row(seed: int = 0, first: int = 0, stop: int = 0, pair: int = 0) -> Row:
    return Row(Case(PAIRS[pair], seed=seed), Arm("", Substitute(first, stop)))


def run(loaded: DiffusersModel, asked: Sequence[Row], sampling: Sampling = GUIDED) -> Tensor:
    return glanced(loaded, asked, sampling, lambda done: None)


def distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


@torch.no_grad()
def by_hand(loaded: DiffusersModel, prompt: str, seed: int, guidance: float) -> Tensor:
    """The first and the seventh of 20 times, with nothing but predictions and Song's equation."""
    schedule = loaded.schedule(20)
    first, second = schedule.times[0], schedule.times[6]
    here, there = (schedule.scheduler.alphas_cumprod[int(time)] for time in (first, second))
    told, empty = loaded.encode([prompt]), loaded.empty(1)
    start = loaded.noise([seed])
    said = loaded.predict(start, first, told)
    if guidance != 1:
        against = loaded.predict(start, first, empty)
        said = against + guidance * (said - against)
    meant = kept(loaded, (start - (1 - here).sqrt() * said) / here.sqrt())
    noise = (start - here.sqrt() * meant) / (1 - here).sqrt()
    middle = there.sqrt() * meant + (1 - there).sqrt() * noise
    said = loaded.predict(middle, second, told)
    return kept(loaded, (middle - (1 - there).sqrt() * said) / there.sqrt())


def kept(loaded: DiffusersModel, meant: Tensor) -> Tensor:
    """Pixels stay below a picture's own bound, see Saharia et al. 2022, section 2.3."""
    config = loaded.schedule(20).scheduler.config
    if not config["thresholding"]:
        return meant
    bound = meant.abs().flatten(1).quantile(config["dynamic_thresholding_ratio"], dim=1)
    bound = bound.clamp(1, config["sample_max_value"])[:, None, None, None]
    return meant.clamp(-bound, bound) / bound


@pytest.mark.parametrize("sampling", [GUIDED, ALONE])
def test_a_row_with_no_layer_is_two_steps_of_its_prompt(
    loaded: DiffusersModel, sampling: Sampling
) -> None:
    expected = by_hand(loaded, PAIRS[0].source, 4, sampling.guidance)
    assert distance(run(loaded, [row(seed=4)], sampling), expected) < 1e-5 * expected.abs().max()


def test_a_row_with_every_layer_is_the_other_prompt() -> None:
    loaded = model("sd1")
    found = run(loaded, [row(4, 0, depth(loaded.layout))])
    expected = by_hand(loaded, PAIRS[0].target, 4, GUIDED.guidance)
    assert distance(found, expected) < 1e-5 * expected.abs().max()
    assert distance(run(loaded, [row(4)]), expected) > 1e-3 * expected.abs().max()


def test_each_layer_reads_the_other_prompt_at_both_steps_and_guidance_none() -> None:
    loaded = model("sd1")
    source, target = (
        loaded.context(loaded.encode([text])) for text in (PAIRS[0].source, PAIRS[0].target)
    )
    with contexts(loaded) as noted:
        run(loaded, [row(0, 2, 4)])
    for layer, (first, empty, second) in enumerate(noted.calls):
        wanted = target if 2 <= layer < 4 else source
        assert max(distance(first, wanted), distance(second, wanted)) < 1e-5
        assert distance(empty, loaded.context(loaded.empty(1))) < 1e-5


def test_two_evaluations_a_row_and_one_of_the_empty_prompt_a_seed() -> None:
    loaded = model("sd1")
    asked = [row(7), row(7, 0, 2), row(3), row(7, 2, 4), row(3, 0, 2)]
    before = loaded.evaluations
    run(loaded, asked)
    assert loaded.evaluations - before == 2 * len(asked) + 2
    before = loaded.evaluations
    run(loaded, asked, ALONE)
    assert loaded.evaluations - before == 2 * len(asked)


def test_rows_of_other_seeds_and_prompts_beside_it_change_no_row() -> None:
    loaded = model("if")
    asked = [row(7), row(3, 2, 4, pair=1), row(7, 0, 5, pair=1), row(5), row(3, 2, 4)]
    together = run(loaded, asked)
    alone = torch.cat([run(loaded, [one]) for one in asked])
    assert distance(together, alone) < 1e-4 * alone.abs().max()
    pairs = torch.cdist(alone.flatten(1), alone.flatten(1)).fill_diagonal_(torch.inf)
    assert pairs.min() > 1e-3 * alone.abs().max()


def test_the_steps_asked_for_do_not_matter_and_progress_counts_two() -> None:
    loaded, told = model("sd1"), list[int]()
    asked = [row(1), row(2, 0, 3)]
    found = glanced(loaded, asked, GUIDED, told.append)
    assert told == [2, 2]
    assert torch.equal(found, run(loaded, asked, Sampling(steps=2, guidance=3.0)))
    assert not found.requires_grad
    assert not hooked(loaded)
