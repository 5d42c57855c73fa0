from __future__ import annotations

import pytest

from surgery.edits.base import Ask, Concept
from surgery.edits.names import words
from surgery.edits.preserve import ARTISTS, CAPTIONS, NAMED, SIBLINGS, preserve_asks
from surgery.edits.templates import CONTEXTS, TEMPLATES

GOGH = Concept(erase="Van Gogh", target="painting")


def named(asks: tuple[Ask, ...]) -> set[str]:
    return {ask.subject for ask in asks if ask.subject is not None}


def test_the_built_in_lists_are_as_long_as_they_should_be_and_without_repeats() -> None:
    assert {kind: len(names) >= 20 for kind, names in SIBLINGS.items()} == dict.fromkeys(
        SIBLINGS, True
    )
    assert len(SIBLINGS["style"]) >= 50
    assert len(CAPTIONS) >= 40
    for names in (*SIBLINGS.values(), CAPTIONS):
        assert len({words(name) for name in names}) == len(names)


def test_the_begin_token_and_the_whole_empty_prompt_are_held() -> None:
    asks = preserve_asks([GOGH])
    assert {ask.position for ask in asks if ask.prompt == ""} == {"bos", "eos", "pads"}


def test_other_artists_are_held_in_every_prompt_and_the_erased_one_in_none() -> None:
    asks = preserve_asks([GOGH])
    monet = [ask.prompt for ask in asks if ask.subject == "monet" and ask.position == "prompt"]
    assert monet == [template.replace("{}", "monet") for template in TEMPLATES["style"]]
    assert "van gogh" not in {name.casefold() for name in named(asks)}
    assert not any("gogh" in ask.prompt.casefold() for ask in asks)


@pytest.mark.parametrize("kind", list(SIBLINGS))
def test_other_kinds_are_held_in_every_prompt_of_theirs(kind: str) -> None:
    held = {ask.prompt for ask in preserve_asks([GOGH]) if ask.position == "prompt"}
    name = SIBLINGS[kind][-1]  # type: ignore[index]
    assert {template.replace("{}", name) for template in TEMPLATES[kind]} <= held  # type: ignore[index]


def test_whatever_shares_the_erased_name_is_not_held() -> None:
    longer = preserve_asks([Concept(erase="vincent van gogh")])
    assert "van gogh" not in named(longer)
    dog = preserve_asks([Concept(erase="dog", kind="object")])
    assert not any("dog" in words(ask.prompt) for ask in dog)
    assert any(ask.prompt == "a photo of a red ball" for ask in dog)


def test_targets_are_held_unless_they_are_erased_too() -> None:
    assert "painting" in named(preserve_asks([GOGH]))
    swapped = [
        Concept(erase="cat", target="dog", kind="object"),
        Concept(erase="dog", target="cat", kind="object"),
    ]
    assert not {"cat", "dog"} & named(preserve_asks(swapped))


def test_captions_are_held_at_all_their_tokens() -> None:
    asks = preserve_asks([GOGH])
    plain = {ask.prompt for ask in asks if ask.position == "prompt" and ask.subject is None}
    assert plain == set(CAPTIONS)


def test_a_named_concept_counts_for_more_than_a_built_in_one() -> None:
    asks = preserve_asks([GOGH], ["monet"])
    weights = {ask.subject: ask.weight for ask in asks if ask.position == "prompt"}
    assert weights["monet"] == NAMED > weights["picasso"] == 1.0


def test_named_concepts_are_added_and_defaults_can_be_left_out() -> None:
    alone = preserve_asks([GOGH], ["jeremy mann"], defaults=False)
    assert named(alone) == {"jeremy mann"}
    assert set(alone) <= set(preserve_asks([GOGH], ["jeremy mann"]))
    assert alone[0] in preserve_asks([GOGH], ["jeremy mann", "monet"])
    assert preserve_asks([GOGH], defaults=False) == ()


def test_a_named_concept_is_held_in_the_company_that_concepts_are_edited_in() -> None:
    asks = preserve_asks([GOGH], ["monet"], contexts=True)
    held = {name: {one.prompt for one in asks if one.subject == name} for name in ARTISTS}
    around = {*TEMPLATES["style"], *CONTEXTS["style"]}
    assert held["monet"] == {template.replace("{}", "monet") for template in around}
    assert held["picasso"] == {template.replace("{}", "picasso") for template in TEMPLATES["style"]}


def test_a_named_concept_is_held_in_prompts_of_the_recipe_but_not_in_those_without_a_gap() -> None:
    prompts = ("a star by {}", ("a red ball by {}", "a {}"), ("gogh's ear", "a {}"))
    own = Concept(erase="gogh", target="painting", prompts=prompts)
    asks = preserve_asks([own], ["monet"], contexts=True, defaults=False)
    assert [ask.prompt for ask in asks[-2:]] == ["a star by monet", "a red ball by monet"]
    assert len(asks) == len(TEMPLATES["style"]) + 2


@pytest.mark.parametrize(
    ("reach", "places"),
    [
        ("last", {"prompt"}),
        ("eos", {"prompt"}),
        ("name", {"prompt"}),
        ("pads", {"prompt", "pads"}),
        ("all", {"prompt", "all"}),
    ],
)
def test_siblings_are_held_as_far_as_the_edit_goes(reach: str, places: set[str]) -> None:
    asks = preserve_asks([GOGH], reach=reach)
    assert {ask.position for ask in asks if ask.subject == "monet"} == places


def test_only_what_the_user_named_must_fit_the_model() -> None:
    asks = preserve_asks([GOGH], ["monet"])
    assert {ask.subject for ask in asks if not ask.optional} == {"monet"}


def test_nothing_is_asked_twice_and_the_order_is_always_the_same() -> None:
    asks = preserve_asks([GOGH, Concept(erase="cat", kind="object")], ["monet", "dog"])
    assert len(set(asks)) == len(asks)
    assert asks == preserve_asks([GOGH, Concept(erase="cat", kind="object")], ["monet", "dog"])
