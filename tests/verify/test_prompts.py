"""What is asked: every wording of what is erased, what stays, and what is beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.edits.names import within, words
from surgery.errors import UsageError
from surgery.recipe import load_recipe
from surgery.report.verify import ERASED, Group
from surgery.verify.given import Given
from surgery.verify.prompts import prompt_sets
from surgery.verify.values import Ask, PromptSet
from surgery.verify.wish import Wish

RECIPES = Path(__file__).parents[2] / "recipes"
GOGH = Wish(concepts=("van gogh",))


def of(sets: tuple[PromptSet, ...], *groups: Group) -> list[str]:
    return [one.concept for one in sets if one.group in groups]


def test_an_erased_concept_is_asked_for_in_every_wording() -> None:
    sets = prompt_sets(GOGH, "atelier")
    assert of(sets, *ERASED) == ["van gogh"] * 4
    assert [one.group for one in sets[:4]] == list(ERASED)
    first = sets[0]
    assert len(first.asks) == 96
    assert all("van gogh" in one.prompt and one.thing for one in first.asks)
    assert "vincent van gogh" in sets[1].asks[0].prompt
    assert not any("van gogh" in one.prompt for one in sets[3].asks)


def test_siblings_are_kept_and_the_rest_of_the_world_is_beside() -> None:
    sets = prompt_sets(GOGH, "atelier")
    assert of(sets, "kept") == [
        "monet", "seurat", "mondrian", "hokusai", "picasso", "pollock", "escher",
    ]  # fmt: skip
    assert {"ball", "r2d2", "the flag of sylvania", "plain"} <= set(of(sets, "unrelated"))


def test_nothing_that_names_what_is_erased_is_asked_to_stay() -> None:
    for concept in ("van gogh", "r2d2", "the flag of freedonia"):
        sets = prompt_sets(Wish(concepts=(concept,)), "atelier")
        for one in sets:
            if one.group not in ERASED:
                assert not any(within(words(concept), words(ask.prompt)) for ask in one.asks)


def test_a_recipe_says_what_is_erased_and_what_is_kept_first() -> None:
    recipe = load_recipe(RECIPES / "remove_three_artists.yaml")
    sets = prompt_sets(Wish(recipe=recipe), "atelier")
    assert of(sets, "erased") == ["van gogh", "mondrian", "escher"]
    assert {"r2d2", "the flag of sylvania", "monet"} <= set(of(sets, "kept"))
    assert "van gogh" not in of(sets, "kept", "unrelated")


def test_a_named_concept_is_kept_before_all_others() -> None:
    sets = prompt_sets(Wish(concepts=("van gogh",), keep=("r2d2",)), "atelier")
    assert of(sets, "kept")[0] == "r2d2"
    assert "r2d2" not in of(sets, "unrelated")


def test_what_is_erased_cannot_be_kept() -> None:
    with pytest.raises(UsageError, match="'van gogh' cannot be kept"):
        prompt_sets(Wish(concepts=("van gogh",), keep=("van gogh",)), "atelier")


def test_nothing_to_erase_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="nothing says what should be gone"):
        prompt_sets(Wish(), "atelier")


def test_fewer_pictures_leave_every_set_in() -> None:
    few = prompt_sets(Wish(concepts=("van gogh",), pictures=2), "atelier")
    assert len(few) == len(prompt_sets(GOGH, "atelier"))
    assert {len(one.asks) for one in few} == {2}


def test_seeds_are_as_many_as_wished() -> None:
    (first, *_) = prompt_sets(Wish(concepts=("van gogh",), seeds=3), "atelier")
    assert len(first.asks) == 3 * len({one.prompt for one in first.asks})


def test_a_model_of_the_wide_world_is_asked_for_everyday_prompts_too() -> None:
    sets = prompt_sets(Wish(concepts=("van gogh",), keep=("monet",)), "world")
    assert of(sets, "kept")[0] == "monet"
    *_, everyday = sets
    assert (everyday.group, everyday.own, len(everyday.asks)) == ("unrelated", True, 32)
    assert all(len(one.others) > 2 for one in sets[:-1])


def test_a_concept_that_is_not_built_in_needs_its_kind() -> None:
    with pytest.raises(UsageError, match="a style, an object or a fact"):
        prompt_sets(Wish(concepts=("bob ross",)), "world")
    sets = prompt_sets(
        Wish(concepts=("bob ross",), sorts={"bob ross": "style"}, synonyms={"bob ross": ("ross",)}),
        "world",
    )
    assert of(sets, "erased", "synonym") == ["bob ross", "bob ross"]
    assert all("bob ross" not in one.prompt for one in sets[1].asks)


def test_prompts_from_a_file_take_the_place_of_the_built_in_ones() -> None:
    given = (
        Given(Ask("a star by him", 1)),
        Given(Ask("a star by monet", 2), None, "monet"),
        Given(Ask("a star", 3), "unrelated"),
        Given(Ask("a star by Van Gogh", 4), "erased", "Van Gogh"),
    )
    sets = prompt_sets(Wish(concepts=("van gogh",), given=given), "atelier")
    assert [(one.group, one.concept, one.sort, one.own) for one in sets] == [
        ("given", "van gogh", "style", False),
        ("kept", "monet", "style", False),
        ("unrelated", "prompts", "", True),
        ("erased", "van gogh", "style", False),
    ]
    assert "monet" in sets[0].others
