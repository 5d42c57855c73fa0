from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from surgery.atelier.world import ARTISTS, FACTS, Scene
from surgery.errors import UsageError
from surgery.judges import Seen
from surgery.judges.clip import ClipJudge, texts_of
from surgery.judges.towers import load_towers
from surgery.questions import Pair, Question
from tests.judges.build import FACT, STYLE, about, drawn, random_pictures, seen, write_clip


@pytest.fixture(scope="module")
def own() -> ClipJudge:
    return ClipJudge(load_towers("atelier"))


def test_a_style_and_an_object_are_asked_for_by_name_and_a_fact_by_what_is_new() -> None:
    assert texts_of(STYLE) == (
        "van gogh style",
        "a painting in the style of van gogh",
        "a painting by van gogh",
    )
    assert texts_of(about("a star", "object"))[0] == "a star"
    assert texts_of(FACT)[0] == "the flag of ruritania"


def test_the_least_is_best_except_for_facts(own: ClipJudge) -> None:
    assert [own.best(sort) for sort in ("style", "object", "fact")] == ["least", "least", "most"]


def test_the_score_is_a_hundred_times_the_cosine_with_the_mean_of_the_texts(tmp_path: Path) -> None:
    judge = ClipJudge(load_towers(write_clip(tmp_path)))
    pictures = random_pictures(2)
    mean = F.normalize(judge.towers.texts(texts_of(STYLE)).mean(0), dim=0)
    expected = 100 * judge.towers.pictures(pictures) @ mean
    found = [mark.score for mark in judge.marks(STYLE, seen(pictures))]
    assert found == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("artist", ARTISTS)
def test_its_own_model_scores_an_artist_highest_in_his_own_picture(
    own: ClipJudge, artist: str
) -> None:
    pair = Pair(f"a red star by {artist}", "a painting of a red star", artist)
    question = Question(artist, "painting", "style", (pair,))
    pictures = drawn(*(Scene("star", "red", one) for one in (artist, None)))
    theirs, plain = own.marks(question, seen(pictures, question))
    assert theirs.score > plain.score
    assert (theirs.shown, plain.shown) == (True, False)


def test_a_new_fact_scores_highest_in_its_own_picture(own: ClipJudge) -> None:
    old, new = own.marks(FACT, seen(drawn(*(Scene(fact) for fact in FACTS[:2])), FACT))
    assert new.score > old.score
    assert (old.shown, new.shown) == (True, False)


def test_a_picture_scores_the_same_alone_and_among_others(own: ClipJudge) -> None:
    pictures = drawn(*(Scene("moon", "pink", artist) for artist in ARTISTS))
    together = own.marks(STYLE, seen(pictures))
    alone = [own.marks(STYLE, seen(one[None]))[0] for one in pictures]
    assert [m.score for m in together] == pytest.approx([m.score for m in alone], abs=1e-4)
    assert [m.shown for m in together] == [m.shown for m in alone]


def test_rows_are_held_against_their_own_prompts(own: ClipJudge) -> None:
    pairs = tuple(
        Pair(f"a {colour} star by escher", f"a painting of a {colour} star", "escher")
        for colour in ("red", "blue")
    )
    question = Question("escher", "painting", "style", pairs)
    pictures = drawn(Scene("star", "red", "escher"), Scene("star", "blue"))
    marks = own.marks(question, Seen(torch.zeros(2, 4, 8, 8), pairs, pictures))
    assert [mark.shown for mark in marks] == [True, False]


def test_a_prompt_that_clip_does_not_read_whole_is_refused_before_anything_is_made(
    own: ClipJudge,
) -> None:
    long = "red " * 50 + "star by monet"
    question = Question("monet", "painting", "style", (Pair(long, "a red star", "monet"),))
    with pytest.raises(
        UsageError, match=r"tokens, begin and end included, and atelier .* reads 40"
    ):
        own.check(question)


def test_it_is_named_for_its_model(own: ClipJudge) -> None:
    assert own.name == f"clip {own.towers.name}"
