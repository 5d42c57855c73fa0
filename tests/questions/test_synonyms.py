from __future__ import annotations

from surgery.edits.names import words
from surgery.questions import questions
from surgery.questions.synonyms import synonyms


def test_a_concept_is_found_however_it_is_spelled() -> None:
    assert synonyms("Van Gogh") == synonyms("van-gogh") != ()
    assert synonyms("nobody at all") == ()


def test_no_other_name_is_the_name_itself() -> None:
    for vocabulary in ("atelier", "world"):
        for one in questions(vocabulary):  # type: ignore[arg-type]
            assert words(one.concept) not in map(words, synonyms(one.concept))


def test_most_of_what_is_built_in_has_another_name() -> None:
    world = questions("world")
    assert sum(bool(synonyms(one.concept)) for one in world) >= 0.9 * len(world)
