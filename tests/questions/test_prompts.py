"""Prompts with a concept become prompts without it."""

from __future__ import annotations

import pytest

from surgery.errors import UsageError
from surgery.questions.prompts import pairs_of, plain_of, templates_from
from surgery.questions.values import Pair, Question


@pytest.mark.parametrize(
    ("template", "plain"),
    [
        ("a red house in the style of {}", "{} of a red house"),
        ("a red house, in the style of {}", "{} of a red house"),
        ("a red house by {}", "{} of a red house"),
        ("a picture of a red house by {}", "{} of a red house"),
        ("An image of a house in the style of {} at night", "{} of a house at night"),
        ("a painting in the style of {}", "{}"),
        ("art by {}", "{}"),
        ("{}", "{}"),
    ],
)
def test_what_is_left_of_a_prompt_without_its_style(template: str, plain: str) -> None:
    assert " ".join(plain_of(template).split()) == plain


@pytest.mark.parametrize("template", ["a {} house", "a house by {} and {}-like", "a red house"])
def test_a_style_prompt_in_other_words_is_refused_with_an_example(template: str) -> None:
    with pytest.raises(UsageError, match="without the style"):
        plain_of(template)


def test_a_prompt_may_name_the_concept_in_any_case() -> None:
    found = templates_from(["A cat by Monet"], "monet", "style")
    assert dict(found) == {"A cat by {}": "{} of A cat"}


@pytest.mark.parametrize("prompt", ["a cat by manet", "a cat by monets"])
def test_a_prompt_without_the_concept_is_refused(prompt: str) -> None:
    with pytest.raises(UsageError, match="holds neither"):
        templates_from([prompt], "monet", "style")


def test_an_object_gives_its_place_to_the_target() -> None:
    (pair,) = pairs_of({"a red {} on a hill": "a red {} on a hill"}, "cat", "dog", "object")
    assert pair == Pair("a red cat on a hill", "a red dog on a hill", "cat")


@pytest.mark.parametrize(("source", "target", "subject"), [("a cat", "a", "dog"), ("a", "A", "a")])
def test_a_pair_holds_its_subject_and_differs(source: str, target: str, subject: str) -> None:
    with pytest.raises(UsageError):
        Pair(source, target, subject)


def test_a_question_has_a_pair_and_no_sibling_that_is_its_concept() -> None:
    pair = Pair("a cat", "a dog", "cat")
    with pytest.raises(UsageError, match="no prompt"):
        Question("cat", "dog", "object", ())
    with pytest.raises(UsageError, match="names 'cat' itself"):
        Question("cat", "dog", "object", (pair,), ("black cat",))
