"""Importance reads the inputs of the first steps, with the concept and without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from surgery.edits.scores import Wanted
from surgery.hooks import intervene
from surgery.model import DiffusersModel
from surgery.numerics.pruned import importance
from surgery.scores import SCORERS
from surgery.scores.importance import Importance
from surgery.scores.inputs import Inputs
from tests.helpers.probing import hooked, model

SITES = ("ff.out[0]", "ff.out[1]")
WANTED = Wanted(
    "conceptprune",
    SITES,
    (("a star by van gogh", "a painting of a star"), ("van gogh", "a painting")),
    seeds=(1, 2),
    steps=3,
    settings=(("first", 2),),
)


@pytest.fixture
def loaded() -> DiffusersModel:
    return model("sd1")


def flowed(loaded: DiffusersModel, side: int) -> dict[str, list[list[torch.Tensor]]]:
    """What flows into each weight in each of the first two steps, caught one picture at a time."""
    found: dict[str, list[list[torch.Tensor]]] = {site: [[], []] for site in SITES}
    handles, step = [], [0]
    for site in SITES:

        def catch(_: object, given: tuple[torch.Tensor], site: str = site) -> None:
            found[site][step[0]].append(given[0][-1:].detach().double().flatten(0, 1))

        handles.append(loaded.owner(site).register_forward_pre_hook(catch))
    for pair in WANTED.pairs:
        for seed in WANTED.seeds:
            told = loaded.encode([pair[side]])

            def note(number: int, *_: object) -> None:
                step[0] = min(number, 1)
                if number == 2:
                    raise StopIteration

            with pytest.raises(StopIteration):
                loaded.denoise(told, [seed], steps=3, guidance=3.0, on_step=note)
    for handle in handles:
        handle.remove()
    return found


def test_it_is_what_the_inputs_of_the_first_steps_say(loaded: DiffusersModel) -> None:
    scores = Importance().score(loaded, WANTED)
    sides = [flowed(loaded, side) for side in (0, 1)]
    for site in SITES:
        with_it, without = (
            np.stack([torch.cat(step).square().mean(0).sqrt().numpy() for step in side[site]])
            for side in sides
        )
        weight = loaded.owner(site).weight.detach().numpy()
        np.testing.assert_allclose(
            scores.of(site), importance(weight, with_it, without), atol=1.01 / weight.shape[1]
        )
        alike = np.mean(scores.of(site) == importance(weight, with_it, without))
        assert alike > 0.95
        np.testing.assert_allclose(
            scores.norms[site], np.sqrt(np.mean(without**2, axis=0)), rtol=1e-3
        )


def test_it_is_the_same_twice_and_leaves_no_hook(loaded: DiffusersModel) -> None:
    first, second = (Importance().score(loaded, WANTED) for _ in range(2))
    for site in SITES:
        assert first.of(site).tobytes() == second.of(site).tobytes()
    assert not hooked(loaded)


def test_it_tells_how_far_it_is(loaded: DiffusersModel) -> None:
    done: list[int] = []
    totals: list[int] = []

    def stage(label: str, total: int) -> object:
        from contextlib import nullcontext

        totals.append(total)
        return nullcontext(done.append)

    Importance().score(loaded, WANTED, stage)  # type: ignore[arg-type]
    assert sum(done) == totals[0] == 2 * 2 * 2 * 2


def test_more_first_steps_than_there_are_is_all_of_them(loaded: DiffusersModel) -> None:
    wanted = replace(WANTED, settings=(("first", 99),))
    assert Importance().score(loaded, wanted).method == "conceptprune"


def test_inputs_are_added_up_step_by_step(loaded: DiffusersModel) -> None:
    found = Inputs(loaded, SITES[:1])
    module = loaded.owner(SITES[0])
    width = module.weight.shape[1]
    with intervene(found.hooks()), torch.no_grad():
        module(torch.full((1, 2, width), 3.0))
        module(torch.full((1, 6, width), 1.0))
        found.step = 1
        module(torch.full((1, 8, width), 2.0))
    assert np.allclose(found.sizes(0, SITES[0]), np.sqrt((2 * 9 + 6) / 8))
    assert np.allclose(found.sizes(1, SITES[0]), 2)
    assert np.allclose(found.whole(SITES[0]), np.sqrt((2 * 9 + 6 + 8 * 4) / 16))


def test_every_scorer_says_what_it_does_and_whose_idea_it_was() -> None:
    for scorer in SCORERS.values():
        assert scorer.about and scorer.source
