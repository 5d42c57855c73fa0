from __future__ import annotations

import pytest

from surgery.edits.base import Concept
from surgery.edits.templates import PLAIN, TEMPLATES, filled, prompt_pairs, target_of


@pytest.mark.parametrize("kind", list(TEMPLATES))
def test_each_template_holds_the_concept_once_and_the_bare_name_comes_first(kind: str) -> None:
    templates = TEMPLATES[kind]
    assert templates[0] == "{}"
    assert len(set(templates)) == len(templates) >= 4
    assert all(template.count("{}") == 1 for template in templates)


def test_concept_and_target_stand_in_the_same_words() -> None:
    pairs = prompt_pairs(Concept(erase="van gogh", target="monet"))
    assert pairs[1] == (
        "a painting in the style of van gogh",
        "a painting in the style of monet",
    )
    assert len(pairs) == len(TEMPLATES["style"])


@pytest.mark.parametrize("target", ["painting", "a painting", "A Painting"])
def test_a_style_that_becomes_a_medium_has_the_bare_medium_as_target_prompt(target: str) -> None:
    pairs = prompt_pairs(Concept(erase="van gogh", target=target))
    assert {goal for _, goal in pairs} == {"a painting"}
    assert ("a painting in the style of van gogh", "a painting") in pairs


def test_a_medium_in_a_pair_of_ones_own_is_put_in_as_any_target() -> None:
    concept = Concept(erase="monet", target="drawing", prompts=(("art by monet", "a plain {}"),))
    assert prompt_pairs(concept) == (("art by monet", "a plain drawing"),)


def test_a_concept_without_a_target_becomes_the_plain_word_of_its_kind() -> None:
    assert target_of(Concept(erase="snoopy", kind="object")) == PLAIN["object"]
    assert target_of(Concept(erase="monet")) == "painting"


def test_prompts_of_ones_own_are_templates_or_pairs() -> None:
    own = ("art by {}", ("a dog by monet", "a plain {}"))
    concept = Concept(erase="monet", target="dog", prompts=own)
    assert prompt_pairs(concept) == (
        ("art by monet", "art by dog"),
        ("a dog by monet", "a plain dog"),
    )


def test_a_name_with_braces_is_put_in_as_it_is() -> None:
    assert filled("style", "{0}")[:2] == ("{0}", "a painting in the style of {0}")
