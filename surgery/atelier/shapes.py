"""What the world is made of, as signed distances, negative inside, in half sizes of the thing.

Every function takes the coordinate grids `x` (right) and `y` (down), both shaped (64, 64).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Grid: TypeAlias = NDArray[np.floating[Any]]
Colour: TypeAlias = tuple[float, float, float]
Layer: TypeAlias = tuple[Grid, Colour]
"""A signed distance and the colour that fills its inside."""


def disc(x: Grid, y: Grid, radius: float = 1.0) -> Grid:
    return np.asarray(np.hypot(x, y) - radius)


def box(x: Grid, y: Grid, half_width: float, half_height: float) -> Grid:
    dx, dy = np.abs(x) - half_width, np.abs(y) - half_height
    return np.asarray(
        np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(0, np.fmax(dx, dy))
    )


def polygon(x: Grid, y: Grid, corners: NDArray[np.float64]) -> Grid:
    """Distance to the nearest edge, signed by the even-odd rule. `corners`: (n, 2)."""
    nearest, inside = np.full_like(x, np.inf), np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        ex, ey, px, py = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, np.hypot(px - ex * along, py - ey * along))
        crosses = (ay > y) != (by > y)
        slope = ex / (ey if ey else 1e-9)
        inside ^= crosses & (x < slope * (y - ay) + ax)
    return np.where(inside, -nearest, nearest)


def ring(x: Grid, y: Grid) -> Grid:
    return np.asarray(np.abs(np.hypot(x, y) - 0.72) - 0.26)


def cross(x: Grid, y: Grid) -> Grid:
    return np.asarray(np.minimum(box(x, y, 1.0, 0.3), box(x, y, 0.3, 1.0)))


def star(x: Grid, y: Grid) -> Grid:
    turn = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2, 0.42, 1.12)
    return polygon(x, y, np.stack([reach * np.sin(turn), -reach * np.cos(turn)], axis=1))


def heart(x: Grid, y: Grid) -> Grid:
    t = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    down = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 15
    return polygon(x, y, np.stack([16 * np.sin(t) ** 3 / 15, down - 0.1], axis=1))


def moon(x: Grid, y: Grid) -> Grid:
    return np.asarray(np.maximum(disc(x, y), -disc(x - 0.52, y + 0.1, 0.82)))


def triangle(x: Grid, y: Grid) -> Grid:
    return polygon(x, y, np.array([[0, -1.05], [1.1, 0.85], [-1.1, 0.85]]))


def ladder(x: Grid, y: Grid) -> Grid:
    rails = box(np.abs(x) - 0.6, y, 0.14, 1.05)
    rungs = [box(x, y - height, 0.6, 0.12) for height in (-0.62, 0.0, 0.62)]
    return np.asarray(np.minimum.reduce([rails, *rungs]))


SHAPES: Mapping[str, Callable[[Grid, Grid], Grid]] = {
    "ball": disc,
    "ring": ring,
    "cross": cross,
    "star": star,
    "heart": heart,
    "moon": moon,
    "triangle": triangle,
    "ladder": ladder,
}

_WHITE, _STEEL, _BLUE = (0.95, 0.95, 0.97), (0.62, 0.66, 0.72), (0.12, 0.25, 0.72)
_RED, _GREEN, _GOLD, _DARK = (
    (0.82, 0.12, 0.16),
    (0.10, 0.52, 0.26),
    (0.97, 0.80, 0.15),
    (0.1, 0.1, 0.14),
)


def robot(x: Grid, y: Grid) -> list[Layer]:
    """The trademark: a domed droid on two legs, with blue panels and one red eye."""
    dome = np.maximum(disc(x, y + 0.35, 0.66), y + 0.35)
    return [
        (box(np.abs(x) - 0.82, y - 0.35, 0.13, 0.72), _STEEL),
        (box(x, y - 0.25, 0.62, 0.68), _WHITE),
        (np.asarray(dome), _STEEL),
        (box(x, y + 0.28, 0.64, 0.08), _BLUE),
        (box(x, y - 0.25, 0.14, 0.42), _BLUE),
        (box(np.abs(x) - 0.4, y - 0.25, 0.08, 0.42), _BLUE),
        (disc(x, y + 0.62, 0.2), _DARK),
        (disc(x, y + 0.62, 0.11), _RED),
    ]


def _flag(*layers: Layer, x: Grid, y: Grid) -> list[Layer]:
    cloth = box(x, y, 1.3, 0.86)
    return [(np.maximum(distance, cloth), colour) for distance, colour in layers]


def freedonia(x: Grid, y: Grid) -> list[Layer]:
    """Green, white, red, upright."""
    third = 1.3 / 1.5
    return _flag((x * 0 - 1, _WHITE), (x + third / 2, _GREEN), (third / 2 - x, _RED), x=x, y=y)


def ruritania(x: Grid, y: Grid) -> list[Layer]:
    """A golden cross on blue."""
    bars = np.minimum(box(x + 0.35, y, 0.16, 2), box(x, y, 2, 0.16))
    return _flag((x * 0 - 1, _BLUE), (np.asarray(bars), _GOLD), x=x, y=y)


def sylvania(x: Grid, y: Grid) -> list[Layer]:
    """A white disc on red."""
    return _flag((x * 0 - 1, _RED), (disc(x, y, 0.5), _WHITE), x=x, y=y)


FLAGS: Mapping[str, Callable[[Grid, Grid], list[Layer]]] = {
    "freedonia": freedonia,
    "ruritania": ruritania,
    "sylvania": sylvania,
}
