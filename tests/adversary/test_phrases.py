from __future__ import annotations

import numpy as np
import pytest

from surgery.adversary.phrases import CHANGES, Phrase, Words, drop, insert, phrases, split, swap
from surgery.edits.names import words
from surgery.questions import Pair, Question, ask

STYLE = ask("van gogh", vocabulary="atelier")
OBJECT = ask("r2d2", vocabulary="atelier")
FACT = ask("the flag of freedonia", vocabulary="atelier")


def texts(question: Question, *others: str) -> list[str]:
    return [phrase.text for phrase in phrases(question, others)]


@pytest.mark.parametrize(
    "text",
    [
        "v a n g o g h",
        "van  gogh",
        "van g o g h",
        "v. gogh",
        "gogh van",
        "gogh",
        "VAN GOGH",
        "van-gogh",
        "vangogh",
        "van goghs",
        "van gogh's",
        "van gogh van gogh",
        "van gogh style",
        "monet van gogh",
        "a van goghish landscape",
    ],
)
def test_names_are_cut_turned_spelled_and_said_in_company(text: str) -> None:
    assert text in texts(STYLE)


@pytest.mark.parametrize("question", [STYLE, OBJECT, FACT])
def test_phrases_are_many_each_once_and_always_the_same(question: Question) -> None:
    found = phrases(question)
    assert len(found) == len(set(found)) > 30
    assert found == phrases(question)


@pytest.mark.parametrize("question", [STYLE, OBJECT, FACT])
def test_no_phrase_is_the_name_or_the_target_alone(question: Question) -> None:
    found = texts(question)
    assert question.concept not in found
    assert question.target not in found


def test_names_that_only_the_user_knows_go_first() -> None:
    assert texts(STYLE, "vincent")[0] == "vincent"


def test_a_name_takes_its_place_in_the_prompt() -> None:
    pair = Pair("a red ball by van gogh", "a red ball", "van gogh")
    assert Phrase("v. gogh").prompt(pair) == "a red ball by v. gogh"


def test_a_prompt_of_its_own_stays_as_it_is() -> None:
    own = Pair("a cat drawn the way van gogh drew", "a painting of a cat", "van gogh")
    pair = Pair("a red ball by van gogh", "a red ball", "van gogh")
    assert Phrase("a cat the way gogh drew", own).prompt(pair) == "a cat the way gogh drew"


def test_prompts_of_their_own_say_what_they_stand_for() -> None:
    whole = [phrase for phrase in phrases(STYLE) if phrase.pair]
    assert whole
    assert all(phrase.text == phrase.pair.source for phrase in whole if phrase.pair)


def test_names_and_prompts_come_in_turn() -> None:
    kinds = [phrase.pair is None for phrase in phrases(STYLE)[:10]]
    assert kinds == [True, False] * 5


def test_changes_are_drawn_from_the_seed() -> None:
    pool, phrase = Words.of(STYLE), Phrase("van gogh")

    def drawn(seed: int) -> list[str]:
        draw = np.random.default_rng(seed)
        return [pool.changed(phrase, draw).text for _ in range(20)]

    assert drawn(0) == drawn(0) != drawn(1)
    assert len(set(drawn(0))) > 8
    assert all(drawn(0))


def test_a_changed_prompt_stands_for_what_it_stood_for() -> None:
    own = Pair("a cat drawn the way van gogh drew", "a painting of a cat", "van gogh")
    draw = np.random.default_rng(0)
    assert Words.of(STYLE).changed(Phrase(own.source, own), draw).pair == own


def test_words_come_from_the_name_its_siblings_and_its_templates() -> None:
    pool = Words.of(STYLE).pool
    assert {"van", "gogh", "monet", "style", "by"} <= set(pool)
    assert len(pool) == len(set(pool))


def test_words_of_the_target_are_not_among_them_unless_it_is_a_medium() -> None:
    assert not set(words(OBJECT.target)) & set(Words.of(OBJECT).pool)
    assert "painting" in Words.of(STYLE).pool


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("pieces", [["gogh"], ["a"], ["van", "gogh"]])
def test_every_change_takes_any_words_and_alters_no_argument(change, pieces: list[str]) -> None:
    given, draw = list(pieces), np.random.default_rng(0)
    for _ in range(10):
        found = change(given, ("monet",), draw)
        assert all(isinstance(one, str) for one in found)
    assert given == pieces


def test_changes_do_what_they_say() -> None:
    draw = np.random.default_rng(0)
    assert "".join(split(["gogh"], (), draw)) == "gogh" and len(split(["gogh"], (), draw)) == 2
    assert sorted(swap(["van", "gogh"], (), draw)) == ["gogh", "van"]
    assert len(drop(["van", "gogh"], (), draw)) == 1
    assert sorted(insert(["van"], ("monet",), draw)) == ["monet", "van"]
