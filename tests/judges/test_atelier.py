from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from surgery.atelier.world import ARTISTS, FACTS, OBJECTS, TRADEMARK, Scene
from surgery.errors import UsageError
from surgery.judges.atelier import AtelierJudge, atelier_judge
from tests.judges.build import about, drawn, seen


@pytest.fixture(scope="module")
def judge() -> AtelierJudge:
    return atelier_judge()


def test_it_sees_every_artist_in_his_own_pictures_and_in_no_others(judge: AtelierJudge) -> None:
    pictures = drawn(*(Scene("star", "red", artist) for artist in ARTISTS))
    for row, artist in enumerate(ARTISTS):
        question = about(artist, "style")
        marks = judge.marks(question, seen(pictures, question))
        assert [mark.shown for mark in marks] == [other == row for other in range(len(ARTISTS))]
        assert marks[row].score > 0.5 > max(m.score for m in marks if not m.shown)


@pytest.mark.parametrize("thing", [*OBJECTS, TRADEMARK, *FACTS])
def test_it_sees_every_thing(judge: AtelierJudge, thing: str) -> None:
    names = [*OBJECTS, TRADEMARK, *FACTS]
    colour = "blue" if thing in OBJECTS else None
    other = next(b for a, b in pairwise([*names, names[0]]) if a == thing)
    question = about(thing, "fact" if thing in FACTS else "object")
    scenes = Scene(thing, colour), Scene(other, "blue" if other in OBJECTS else None)
    marks = judge.marks(question, seen(drawn(*scenes), question))
    assert [mark.shown for mark in marks] == [True, False]


def test_a_picture_scores_the_same_alone_and_among_others(judge: AtelierJudge) -> None:
    pictures = drawn(*(Scene("moon", "pink", artist) for artist in ARTISTS))
    question = about("monet", "style")
    together = judge.marks(question, seen(pictures, question))
    alone = [judge.marks(question, seen(one[None], question))[0] for one in pictures]
    assert [m.score for m in together] == pytest.approx([m.score for m in alone], abs=1e-5)
    assert [m.shown for m in together] == [m.shown for m in alone]


def test_case_does_not_matter(judge: AtelierJudge) -> None:
    judge.check(about("The Flag of Freedonia", "fact"))


@pytest.mark.parametrize(
    ("concept", "sort", "message"),
    [
        ("van gohg", "style", "knows no style 'van gohg'; did you mean 'van gogh'"),
        ("zebra", "object", "knows no object 'zebra'; it knows ball, "),
        ("star", "style", "knows no style 'star'; it is an object or a fact"),
        ("monet", "object", "knows no object 'monet'; it is a style"),
    ],
)
def test_a_concept_it_does_not_know_is_refused(
    judge: AtelierJudge, concept: str, sort: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        judge.check(about(concept, sort))


def test_pictures_of_another_size_are_refused(judge: AtelierJudge) -> None:
    question = about("monet", "style")
    with pytest.raises(UsageError, match="64 x 64, not of 48 x 32"):
        judge.marks(question, seen(torch.zeros(1, 3, 32, 48), question))


def test_it_is_named_with_a_digest_and_looks_for_the_least(judge: AtelierJudge) -> None:
    assert judge.name == atelier_judge().name
    assert judge.name.split()[0] == "atelier"
    assert judge.best("fact") == "least"
