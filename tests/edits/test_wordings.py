from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import surgery.atelier
from surgery.edits.base import Concept
from surgery.edits.names import words
from surgery.edits.phrasings import INFLECTIONS, LANGUAGES, PARAPHRASES
from surgery.edits.preserve import SIBLINGS
from surgery.edits.templates import TEMPLATES, prompt_pairs
from surgery.edits.wordings import Wording, wordings
from surgery.tokens.vocabulary import load_tokens

TOKENIZER = Path(surgery.atelier.__file__).parent / "weights" / "pipeline" / "tokenizer"
CONCEPTS = (
    Concept(erase="Van Gogh"),
    Concept(erase="monet", target="A Drawing"),
    Concept(erase="edgar degas", target="hokusai"),
    Concept(erase="r2d2", target="star", kind="object"),
    Concept(erase="a dog", target="a cat", kind="object"),
    Concept(erase="the flag of freedonia", target="the flag of ruritania", kind="fact"),
)
EVERY = (
    *CONCEPTS,
    *(
        Concept(erase=name, target="something else", kind=kind)
        for kind, names in SIBLINGS.items()
        for name in names
    ),
)


def of(concept: Concept, variant: str) -> list[Wording]:
    return [wording for wording in wordings(concept) if wording.variant == variant]


def test_every_kind_has_phrasings_and_they_are_none_that_edits_are_solved_on() -> None:
    for kind, templates in TEMPLATES.items():
        forms = [form.template for form in INFLECTIONS[kind]]
        texts = [*PARAPHRASES[kind], *LANGUAGES[kind], *forms]
        assert all(text.count("{}") == 1 for text in texts)
        assert not {words(text) for text in texts} & {words(text) for text in templates}
        assert len(set(PARAPHRASES[kind]) | set(LANGUAGES[kind])) == 22


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.erase)
def test_each_variant_has_several_wordings(concept: Concept) -> None:
    counts = Counter(wording.variant for wording in wordings(concept))
    assert counts["paraphrases"] == 10
    assert counts["inflections"] >= 4
    assert counts["misspellings"] == 6
    assert counts["languages"] == 12


def test_subjects_stand_in_their_prompts_as_words_of_their_own() -> None:
    tokens = load_tokens(TOKENIZER, max_length=120)
    for concept in EVERY:
        for one in wordings(concept):
            assert one.subject in one.source
            assert one.target_subject in one.target
            tokens.subject_span(one.source, one.subject)
            tokens.subject_span(one.target, one.target_subject)


def test_no_wording_is_a_prompt_of_the_edit_or_there_twice() -> None:
    for concept in EVERY:
        sources = [one.source.casefold() for one in wordings(concept)]
        assert len(set(sources)) == len(sources)
        assert not set(sources) & {source.casefold() for source, _ in prompt_pairs(concept)}


def test_a_prompt_of_ones_own_is_no_longer_another_wording() -> None:
    own = Concept(erase="monet", prompts=("art that looks like {}",))
    assert "art that looks like monet" not in [one.source for one in wordings(own)]
    assert len(of(own, "paraphrases")) == 9


def test_a_style_that_becomes_a_medium_reads_as_that_medium_doing_the_same() -> None:
    found = {one.source: one for one in wordings(Concept(erase="monet", target="a drawing"))}
    assert found["monet-style artwork of a house"].target == "a drawing of a house"
    assert found["a monetesque painting"].target == "a drawing"
    assert {one.target_subject for one in found.values()} == {"drawing"}


def test_another_target_stands_in_the_same_words() -> None:
    found = {one.source: one for one in wordings(Concept(erase="monet", target="hokusai"))}
    assert found["art that looks like monet"].target == "art that looks like hokusai"
    assert found["ein Gemälde im Stil von monet"].target == "ein Gemälde im Stil von hokusai"
    assert found["a monetesque painting"].target == "a hokusaiesque painting"
    assert found["artwork by Monet"].target == "artwork by hokusai"


def test_several_of_a_thing_read_as_several_of_its_target() -> None:
    found = {one.source: one for one in wordings(CONCEPTS[4])}
    assert found["a collection of dogs"] == Wording(
        "inflections", "a collection of dogs", "dogs", "a collection of cats", "cats"
    )


def test_no_wording_spells_the_target_or_another_name() -> None:
    cats = Concept(erase="cat", target="cats", kind="object")
    assert "cats" not in [one.subject for one in wordings(cats)]
    taken = [one.subject for one in of(Concept(erase="monet"), "misspellings")]
    others = {one.subject for one in wordings(Concept(erase="monet"), taken)}
    assert not others & set(taken)
    assert len(others) >= 6


def test_no_misspelling_is_a_word_of_its_own() -> None:
    names = {words(name) for names in SIBLINGS.values() for name in names}
    for concept in EVERY:
        assert not {words(one.subject) for one in of(concept, "misspellings")} & names
    horse = Concept(erase="horse", target="cow", kind="object")
    assert not {"house", "hose"} & {one.subject for one in of(horse, "misspellings")}


def test_wordings_come_always_in_the_same_order() -> None:
    assert wordings(CONCEPTS[0]) == wordings(CONCEPTS[0].model_copy())
