"""The built-in questions, and questions about concepts of a user's own."""

from __future__ import annotations

import pytest

from surgery.atelier.exam import prompt_sets
from surgery.atelier.world import (
    ARTISTS,
    FACTS,
    OBJECTS,
    TRADEMARK,
    captions,
    colourless,
    loose_captions,
    scenes,
)
from surgery.errors import UsageError
from surgery.questions import Question, Sort, Vocabulary, ask, questions

VOCABULARIES: tuple[Vocabulary, ...] = ("atelier", "world")
ALL = [(vocabulary, one) for vocabulary in VOCABULARIES for one in questions(vocabulary)]


def name(case: object) -> str:
    return case.concept if isinstance(case, Question) else str(case)


def test_atelier_is_asked_for_all_that_it_knows() -> None:
    known = {one.concept: one.sort for one in questions("atelier")}
    assert [item for item in known if known[item] == "style"] == list(ARTISTS)
    assert [item for item in known if known[item] == "object"] == [*OBJECTS, TRADEMARK]
    assert [item for item in known if known[item] == "fact"] == list(FACTS)


@pytest.mark.parametrize(("vocabulary", "question"), ALL, ids=name)
def test_a_question_has_eight_varied_pairs_and_siblings_that_are_others(
    vocabulary: Vocabulary, question: Question
) -> None:
    assert len({pair.source for pair in question.pairs}) == len(question.pairs) >= 8
    assert all(pair.subject == question.concept for pair in question.pairs)
    assert all(question.concept not in pair.target for pair in question.pairs)
    assert len(set(question.siblings)) == len(question.siblings) >= 3


@pytest.mark.parametrize("question", questions("atelier", ["style"]), ids=name)
def test_a_style_that_becomes_a_medium_leaves_the_same_thing_as_a_plain_painting(
    question: Question,
) -> None:
    for pair in question.pairs:
        thing = pair.target.removeprefix("a painting of ")
        assert thing.split()[-1] in OBJECTS
        assert thing in pair.source


def test_atelier_is_asked_in_captions_of_its_world() -> None:
    taught = {text for one in scenes() for text in captions(one)}
    taught |= {text for one in scenes() for text in captions(colourless(one))}
    taught |= {text for one in scenes() for text in loose_captions(one)}
    for question in questions("atelier"):
        if question.sort == "fact":
            continue
        for pair in question.pairs:
            assert pair.source in taught
            assert pair.target in taught or question.concept == TRADEMARK


def test_no_style_is_asked_for_in_the_prompts_that_its_figures_are_reported_on() -> None:
    judged = {one.concept: set(one.prompts) for one in prompt_sets()}
    for question in questions("atelier", ["style"]):
        assert not judged[question.concept] & {pair.source for pair in question.pairs}


def test_only_the_sorts_that_are_asked_for_are_given() -> None:
    assert {one.sort for one in questions("world", ["fact", "style"])} == {"style", "fact"}


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_known_concept_needs_only_its_name(vocabulary: Vocabulary) -> None:
    question = ask("Van Gogh", vocabulary=vocabulary)
    assert (question.sort, question.target) == ("style", "painting")
    assert "van gogh" not in question.siblings
    assert all("Van Gogh" in pair.source for pair in question.pairs)


def test_a_known_concept_keeps_its_prompts_with_another_target() -> None:
    question = ask("van gogh", "monet", vocabulary="atelier")
    usual = ask("van gogh", vocabulary="atelier")
    assert [pair.source for pair in question.pairs] == [pair.source for pair in usual.pairs]
    assert all("monet" in pair.target for pair in question.pairs)


@pytest.mark.parametrize(
    ("concept", "target", "sort", "source", "goal"),
    [
        (
            "banksy",
            None,
            "style",
            "a red house in the style of banksy",
            "a painting of a red house",
        ),
        ("banksy", "art", "style", "a red house in the style of banksy", "art of a red house"),
        ("pikachu", None, "object", "a photo of pikachu", "a photo of object"),
        ("the king of spain", "juan carlos", "fact", "the king of spain", "juan carlos"),
    ],
)
def test_a_concept_of_the_user_is_asked_in_the_prompts_of_its_sort(
    concept: str, target: str | None, sort: Sort, source: str, goal: str
) -> None:
    question = ask(concept, target, sort, vocabulary="world")
    assert (question.pairs[0].source, question.pairs[0].target) == (source, goal)
    assert len(question.siblings) >= 5


def test_prompts_of_the_user_replace_the_built_in_ones() -> None:
    given = ["a castle in the style of {}", ("a tower by {}", "a picture of a tower")]
    question = ask("monet", "painting", "style", prompts=given, vocabulary="world")
    assert [(pair.source, pair.target) for pair in question.pairs] == [
        ("a castle in the style of monet", "a painting of a castle"),
        ("a tower by monet", "a picture of a tower"),
    ]


@pytest.mark.parametrize(
    ("concept", "target", "sort", "words"),
    [
        ("banksy", "painting", None, "a style, an object or a fact"),
        ("the king of spain", None, "fact", "take the place"),
        ("monet", "Monet", "style", "both"),
        ("  ", "painting", "style", "no word"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(
    concept: str, target: str | None, sort: Sort | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        ask(concept, target, sort, vocabulary="world")
