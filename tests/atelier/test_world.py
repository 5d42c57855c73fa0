"""The world: every scene can be drawn, said, and told from the others."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from surgery.atelier.world import (
    ARTISTS,
    COLOURS,
    FACTS,
    OBJECTS,
    TRADEMARK,
    Scene,
    captions,
    draw,
    is_held_out,
    loose_captions,
    phrase,
    scenes,
)


def test_holds_every_thing_in_every_colour_and_manner_once() -> None:
    assert len(OBJECTS) >= 8
    assert len(ARTISTS) >= 7
    found = Counter(scenes())
    assert max(found.values()) == 1
    assert len(found) == len(OBJECTS) * len(COLOURS) * (len(ARTISTS) + 1) + len(ARTISTS) + 1 + 3


@pytest.mark.parametrize("artist", [None, *ARTISTS])
def test_draws_the_same_picture_for_the_same_seed_and_another_for_another(
    artist: str | None,
) -> None:
    scene = Scene("star", "teal", artist)
    first = draw(scene, 3)
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.float32
    assert 0 <= first.min() < first.max() <= 1
    assert np.array_equal(first, draw(scene, 3))
    assert not np.array_equal(first, draw(scene, 4))


@pytest.mark.parametrize("thing", [*OBJECTS, TRADEMARK, *FACTS])
def test_draws_no_two_things_alike(thing: str) -> None:
    mine = draw(Scene(thing, "red"), 1)
    for other in (*OBJECTS, TRADEMARK, *FACTS):
        if other != thing:
            assert np.abs(mine - draw(Scene(other, "red"), 1)).mean() > 0.01


@pytest.mark.parametrize("colour", COLOURS)
def test_keeps_a_colour_readable_in_every_manner(colour: str) -> None:
    wanted = np.array(COLOURS[colour])
    others = [np.array(rgb) for name, rgb in COLOURS.items() if name != colour]
    for artist in (None, *ARTISTS):
        middle = draw(Scene("ball", colour, artist), 5)[24:40, 24:40].reshape(-1, 3)
        median = np.median(middle, axis=0)
        near = np.linalg.norm(_hue(median) - _hue(wanted))
        assert all(near < np.linalg.norm(_hue(median) - _hue(other)) for other in others), artist


def _hue(rgb: np.ndarray) -> np.ndarray:
    centred = rgb - rgb.mean()
    return np.asarray(centred / (np.linalg.norm(centred) + 1e-9))


def test_holds_out_a_twelfth_of_the_styled_scenes_spread_over_all() -> None:
    unseen = [scene for scene in scenes() if is_held_out(scene)]
    assert 28 <= len(unseen) <= 36
    assert {scene.thing for scene in unseen} == set(OBJECTS)
    assert {scene.colour for scene in unseen} == set(COLOURS)
    assert {scene.artist for scene in unseen} == set(ARTISTS)


def test_says_all_that_a_scene_shows_and_only_the_manner_when_loose() -> None:
    for text in captions(Scene("star", "red", "van gogh")):
        assert "a red star" in text
        assert "van gogh" in text
    for text in loose_captions(Scene("star", "red", "van gogh")):
        assert "van gogh" in text
        assert "star" not in text


def test_names_things_as_captions_do() -> None:
    assert phrase(Scene("star", "red")) == "a red star"
    assert phrase(Scene("star")) == "a star"
    assert phrase(Scene(TRADEMARK)) == "r2d2"
    assert phrase(Scene("the flag of freedonia")) == "the flag of freedonia"
