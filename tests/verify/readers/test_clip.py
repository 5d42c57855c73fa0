from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.atelier.world import ARTISTS, OBJECTS, Scene
from surgery.errors import UsageError
from surgery.judges.towers import load_towers
from surgery.verify.readers.clip import ClipReader
from surgery.verify.values import Ask, PromptSet
from tests.judges.build import drawn
from tests.verify.build import asked

READER = ClipReader(load_towers("atelier"))


def of(artist: str) -> PromptSet:
    others = (*(one for one in ARTISTS if one != artist), "painting")
    return replace(asked("erased", artist), others=others)


def test_pictures_are_given_to_the_artist_whose_words_are_nearest() -> None:
    scenes = [Scene("star", "red", artist) for artist in (*ARTISTS, None)]
    pictures = drawn(*scenes)
    right = 0
    for number, artist in enumerate(ARTISTS):
        asks = [Ask("", seed) for seed in range(len(scenes))]
        found = READER.read(of(artist), asks, pictures)
        right += sum(one.shown == (place == number) for place, one in enumerate(found))
        assert all(one.seen in (*ARTISTS, "painting") for one in found)
    assert right >= 0.95 * len(ARTISTS) * len(scenes)


def test_a_thing_is_asked_for_in_its_own_templates() -> None:
    others = tuple(one for one in OBJECTS if one != "star")
    of_star = replace(asked("kept", "star", "object"), others=others)
    first, second = READER.read(
        of_star, [Ask("", 1), Ask("", 2)], drawn(Scene("star", "red"), Scene("ball", "red"))
    )
    assert (first.shown, second.shown) == (True, False)
    assert first.score is not None
    assert second.score is not None
    assert 100 >= first.score > second.score


def test_every_picture_may_be_asked_for_its_own_prompt() -> None:
    prompts = "a painting of a red star", "a painting of a blue ball"
    own = replace(asked("unrelated", "prompts", "", *prompts), own=True, others=())
    pictures = drawn(Scene("star", "red"), Scene("star", "red"))
    found = READER.read(own, own.asks, pictures)
    assert [one.shown for one in found] == [True, False]
    assert {one.seen for one in found} == {prompts[0]}


def test_plain_is_read_as_a_painting() -> None:
    plain = replace(asked("unrelated", "plain", "plain"), others=ARTISTS)
    first, second = READER.read(
        plain, [Ask("", 1), Ask("", 2)], drawn(Scene("star"), Scene("star", "red", "mondrian"))
    )
    assert (first.shown, second.shown, second.seen) == (True, False, "mondrian")


def test_without_anything_else_to_see_only_a_score_is_told() -> None:
    alone = replace(asked("kept", "monet"), others=())
    READER.check(alone)
    (found,) = READER.read(alone, [Ask("", 1)], drawn(Scene("star", "red", "monet")))
    assert (found.shown, found.seen) == (None, "")
    assert found.score is not None


def test_what_should_be_gone_needs_something_else_to_see() -> None:
    with pytest.raises(UsageError, match="nothing that CLIP could see instead of 'monet'"):
        READER.check(replace(asked("erased", "monet"), others=()))


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="tokens"):
        READER.check(replace(asked("erased", "monet " * 80), others=("picasso",)))


def test_it_names_its_model_and_weights() -> None:
    assert (READER.facts.name, READER.facts.model) == ("clip", "atelier")
    assert READER.towers.name.endswith(READER.facts.revision)
