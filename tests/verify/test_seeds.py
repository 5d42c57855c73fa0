from __future__ import annotations

from surgery.atelier.exam import FIRST_SEED as FAMILIES
from surgery.verify.seeds import own_seed, seeded
from surgery.verify.values import FIRST_SEED, SEEDS

PROMPTS = [(f"prompt {number}", "") for number in range(6)]


def test_seeds_are_of_the_family_that_nothing_is_chosen_on() -> None:
    assert FAMILIES["report"] == FIRST_SEED
    assert FAMILIES["choose"] + SEEDS < FIRST_SEED


def test_a_prompt_has_its_own_seeds_whatever_stands_beside_it() -> None:
    together, alone = seeded(PROMPTS, 2, 0), seeded(PROMPTS[3:4], 2, 0)
    assert [one for one in together if one.prompt == "prompt 3"] == list(alone)
    assert alone[1].seed == alone[0].seed + 1
    assert own_seed("prompt 3") == own_seed("prompt 3") != own_seed("prompt 4")


def test_a_prompt_that_comes_again_goes_on_counting() -> None:
    found = seeded([("same", ""), ("same", "")], 3, 7)
    assert [one.seed - found[0].seed for one in found] == list(range(6))
    assert found[0].seed == 7 + own_seed("same")


def test_fewer_prompts_are_spread_evenly() -> None:
    assert [one.prompt for one in seeded(PROMPTS, 1, 0, most=3)] == [
        "prompt 0",
        "prompt 2",
        "prompt 4",
    ]


def test_what_a_prompt_shows_beside_the_concept_goes_with_it() -> None:
    (found,) = seeded([("a red star by monet", "star")], 1, 0)
    assert found.thing == "star"
