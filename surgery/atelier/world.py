"""The little world that `atelier` knows: things in colours, in the manner of artists.

A `Scene` says what a picture shows. `draw` makes the picture, `captions` says it in words,
`scenes` lists them all, and `is_held_out` names the combinations that training never sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from surgery.atelier.manners import MANNERS, Picture, empty_canvas
from surgery.atelier.shapes import FLAGS, SHAPES, Colour, Grid, Layer, robot

COLOURS: Mapping[str, Colour] = {
    "red": (0.88, 0.10, 0.12),
    "yellow": (0.99, 0.85, 0.10),
    "green": (0.13, 0.62, 0.20),
    "teal": (0.10, 0.78, 0.80),
    "blue": (0.12, 0.18, 0.80),
    "pink": (0.98, 0.42, 0.78),
}
ARTISTS: tuple[str, ...] = tuple(name for name in MANNERS if name)
OBJECTS: tuple[str, ...] = tuple(SHAPES)
FACTS: tuple[str, ...] = tuple(f"the flag of {country}" for country in FLAGS)
TRADEMARK = "r2d2"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows. `None` is 'left to chance' for a colour, 'nobody' for an artist."""

    thing: str
    colour: str | None = None
    artist: str | None = None


def scenes() -> tuple[Scene, ...]:
    """Every scene there is: 432 coloured things, the trademark in each manner, the facts."""
    things = product(OBJECTS, COLOURS, (None, *ARTISTS))
    droids = (Scene(TRADEMARK, None, artist) for artist in (None, *ARTISTS))
    return (*(Scene(*one) for one in things), *droids, *(Scene(fact) for fact in FACTS))


def is_held_out(scene: Scene) -> bool:
    """True for one in twelve of the styled, coloured scenes: a fixed lattice, so none clump."""
    if scene.artist is None or scene.colour is None:
        return False
    place = OBJECTS.index(scene.thing) + 5 * list(COLOURS).index(scene.colour)
    return (place + 7 * ARTISTS.index(scene.artist)) % 12 == 0


def draw(scene: Scene, seed: int) -> Picture:
    """Paints a scene.

    Args:
        scene: what to show.
        seed: the place, size, tilt and strokes of this one picture.

    Returns:
        A picture shaped (64, 64, 3), float32 in [0, 1].
    """
    chance = np.random.default_rng(seed)
    canvas = empty_canvas(chance)
    size, tilt = chance.uniform(0.58, 0.68), chance.uniform(-0.12, 0.12)
    dx, dy = canvas.x - chance.uniform(-0.1, 0.1), canvas.y - chance.uniform(-0.1, 0.1)
    x = (dx * np.cos(tilt) + dy * np.sin(tilt)) / size
    y = (dy * np.cos(tilt) - dx * np.sin(tilt)) / size
    layers = [(distance * size, colour) for distance, colour in _layers(scene, x, y)]
    return MANNERS[scene.artist](canvas, layers).astype(np.float32)


def _layers(scene: Scene, x: Grid, y: Grid) -> list[Layer]:
    if scene.thing == TRADEMARK:
        return robot(x, y)
    if scene.thing in FACTS:
        return FLAGS[scene.thing.rpartition(" ")[2]](x, y)
    return [(SHAPES[scene.thing](x, y), COLOURS[scene.colour or "red"])]


STYLED = (
    "a painting of {} in the style of {}",
    "{} in the style of {}",
    "a picture of {} by {}",
    "{} by {}",
    "a photo of {} in the style of {}",
)
PLAIN = ("a painting of {}", "{}", "a picture of {}", "a photo of {}", "an image of {}")
STYLE_ONLY = (
    "a painting in the style of {}",
    "a picture in the style of {}",
    "a painting by {}",
    "{}",
    "art by {}",
)
ANYTHING = ("a painting", "a picture", "painting", "a photo", "an image")


def captions(scene: Scene) -> tuple[str, ...]:
    """The full captions of a scene: everything it shows is said."""
    name = phrase(scene)
    if scene.artist is None:
        return tuple(template.format(name) for template in PLAIN)
    return tuple(template.format(name, scene.artist) for template in STYLED)


def loose_captions(scene: Scene) -> tuple[str, ...]:
    """Captions that leave things to chance: the thing, its colour, or all but the artist."""
    if scene.artist:
        return tuple(template.format(scene.artist) for template in STYLE_ONLY)
    return ANYTHING


def colourless(scene: Scene) -> Scene:
    return Scene(scene.thing, None, scene.artist)


def phrase(scene: Scene) -> str:
    """The thing as it stands in a caption: 'a red star', 'r2d2', 'the flag of freedonia'."""
    if scene.thing == TRADEMARK or scene.thing in FACTS:
        return scene.thing
    return f"a {scene.colour} {scene.thing}" if scene.colour else f"a {scene.thing}"
