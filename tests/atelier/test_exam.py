"""The exam: what is asked, with which seeds, and how answers are counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from surgery.atelier.exam import FIRST_SEED, examine, held_out_set, prompt_sets
from surgery.atelier.world import ARTISTS, FACTS, OBJECTS, TRADEMARK, draw, is_held_out
from tests.atelier.weights import judge


def test_asks_at_least_32_pictures_of_every_concept() -> None:
    sets = {one.concept: one for one in prompt_sets()}
    assert set(sets) == {*ARTISTS, *OBJECTS, TRADEMARK, *FACTS, "plain"}
    assert all(len(one.prompts) == len(one.wanted) >= 32 for one in sets.values())


def test_names_the_concept_in_each_of_its_prompts() -> None:
    for one in prompt_sets():
        if one.concept != "plain":
            assert all(one.concept in prompt for prompt in one.prompts)


def test_keeps_only_unseen_combinations_apart() -> None:
    assert all(is_held_out(scene) for scene in held_out_set().wanted)


def test_a_shortened_set_is_a_spread_over_the_whole() -> None:
    whole = prompt_sets()[0]
    assert len(whole.first(8).prompts) == 8
    assert len({scene.thing for scene in whole.first(8).wanted}) == 8
    assert whole.first(1000) == whole


def test_choosing_and_reporting_share_no_seed() -> None:
    asked: dict[str, list[int]] = {"choose": [], "report": []}
    for purpose, seeds in asked.items():

        def remember(
            prompts: Sequence[str], numbers: Sequence[int], into: list[int] = seeds
        ) -> torch.Tensor:
            into.extend(numbers)
            return torch.zeros(len(prompts), 3, 64, 64)

        examine(prompt_sets()[:2], remember, judge(), purpose)  # type: ignore[arg-type]
    assert not set(asked["choose"]) & set(asked["report"])
    assert min(asked["report"]) == FIRST_SEED["report"]


@pytest.mark.parametrize("obey", [True, False])
def test_counts_drawn_pictures_of_what_was_asked_as_right_and_of_others_as_wrong(
    obey: bool,
) -> None:
    sets = tuple(one.first(8) for one in prompt_sets())
    scenes = [scene for one in sets for scene in one.wanted]

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        shown = scenes if obey else scenes[8:] + scenes[:8]
        drawn = [draw(scene, seed) for scene, seed in zip(shown, seeds, strict=True)]
        return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2) * 2 - 1

    found = examine(sets, paint, judge())
    styles = [one for one in found if one.asked.kind == "style"]
    if obey:
        assert all(one.concept == 1.0 and one.thing == 1.0 for one in found)
    else:
        assert all(one.concept == 0.0 for one in styles)
