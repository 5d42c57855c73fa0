from __future__ import annotations

import pytest
import torch

from surgery.atelier.world import Scene
from surgery.errors import UsageError
from surgery.verify.readers.atelier import atelier_reader
from surgery.verify.values import Ask
from tests.judges.build import drawn
from tests.verify.build import asked

READER = atelier_reader()


def test_a_style_is_told_from_the_others_and_from_none() -> None:
    of = asked("erased", "van gogh")
    scenes = [Scene("star", "red", artist) for artist in ("van gogh", "monet", None)]
    asks = [Ask("any", 1, thing="star"), Ask("any", 2, thing="ball"), Ask("any", 3)]
    found = READER.read(of, asks, drawn(*scenes))
    assert [one.shown for one in found] == [True, False, False]
    assert [one.seen for one in found] == ["van gogh", "monet", "plain"]
    assert [one.thing for one in found] == [True, False, None]
    assert all(one.score is not None and 0 <= one.score <= 1 for one in found)


def test_a_thing_is_told_from_other_things() -> None:
    of = asked("kept", "the flag of freedonia", "fact")
    scenes = Scene("the flag of freedonia"), Scene("r2d2")
    first, second = READER.read(of, [Ask("", 1), Ask("", 2)], drawn(*scenes))
    assert (first.shown, second.shown, second.seen) == (True, False, "r2d2")


def test_a_plain_picture_is_something_to_keep_too() -> None:
    (found,) = READER.read(asked("unrelated", "plain", "plain"), [Ask("", 1)], drawn(Scene("star")))
    assert (found.shown, found.seen) == (True, "plain")


def test_what_is_not_of_this_world_is_refused_before_anything_is_painted() -> None:
    with pytest.raises(UsageError, match="did you mean 'van gogh'"):
        READER.check(asked("erased", "van goh"))
    READER.check(asked("erased", "van gogh"))


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(UsageError, match="reads pictures of 64 x 64, not of 32 x 16"):
        READER.read(asked("erased", "van gogh"), [Ask("", 1)], torch.zeros(1, 3, 16, 32))


def test_it_names_its_weights() -> None:
    facts = READER.facts
    assert (facts.name, facts.kind, facts.unit) == ("atelier", "concept", "probability")
    assert len(facts.revision) == 12
