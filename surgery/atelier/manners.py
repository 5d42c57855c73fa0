"""How eight artists, and nobody, paint: a background, an edge and a finish each.

A manner takes the `Canvas` (grids in [-1, 1], a random generator) and gives a picture shaped
(64, 64, 3) in [0, 1]. The object's own colour always stays readable through the manner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from surgery.atelier.shapes import Colour, Grid, Layer

Picture: TypeAlias = NDArray[np.floating[Any]]

SIDE = 64
INK, NAVY, CREAM = (0.05, 0.05, 0.06), (0.09, 0.17, 0.42), (0.94, 0.90, 0.78)


@dataclass(frozen=True, slots=True)
class Canvas:
    """The grids of the picture, each (64, 64), and the chance of this picture."""

    x: Grid
    y: Grid
    chance: np.random.Generator

    def jitter(self, reach: float) -> float:
        return float(self.chance.uniform(-reach, reach))


def empty_canvas(chance: np.random.Generator) -> Canvas:
    steps = ((np.arange(SIDE) + 0.5) / (SIDE / 2) - 1).astype(np.float32)
    x, y = np.meshgrid(steps, steps)
    return Canvas(x, y, chance)


def coverage(distance: Grid, softness: float = 1 / 32) -> Grid:
    """1 inside, 0 outside, a ramp of `softness` (canvas units) between."""
    return np.asarray(np.clip(0.5 - distance / softness, 0, 1))


def mix(below: Picture, colour: Colour | Picture, amount: Grid) -> Picture:
    return np.asarray(below + (np.asarray(colour, np.float32) - below) * amount[..., None])


def fill(canvas: Canvas, colour: Colour) -> Picture:
    return np.broadcast_to(np.asarray(colour, np.float32), (*canvas.x.shape, 3))


def lay(picture: Picture, layers: Sequence[Layer], softness: float = 1 / 32) -> Picture:
    for distance, colour in layers:
        picture = mix(picture, colour, coverage(distance, softness))
    return picture


def silhouette(layers: Sequence[Layer]) -> Grid:
    return np.asarray(np.minimum.reduce([distance for distance, _ in layers]))


def outlined(picture: Picture, layers: Sequence[Layer], ink: Colour, width: float) -> Picture:
    return lay(mix(picture, ink, coverage(silhouette(layers) - width)), layers)


def lit(picture: Picture, light: Grid, amount: float) -> Picture:
    """Brightens where `light` is 1 and darkens where it is -1, by `amount`."""
    return np.clip(picture * (1 + amount * light[..., None]), 0, 1)


def nobody(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """A plain painting: the object on a soft grey ground."""
    shade = 0.80 - 0.07 * canvas.y + canvas.jitter(0.03)
    return lay(np.repeat(shade[..., None], 3, axis=2), layers)


def van_gogh(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """Swirls of blue and yellow that turn around two eddies."""
    turn = canvas.jitter(0.5)
    light: Grid = np.zeros_like(canvas.x)
    for side in (-1, 1):
        dx, dy = canvas.x - side * 0.62, canvas.y + side * 0.5
        swirl = np.sin(11 * np.hypot(dx, dy) + 2 * side * np.arctan2(dy, dx) + turn)
        light = light + swirl * np.exp(-1.2 * (dx * dx + dy * dy))
    sky = mix(fill(canvas, NAVY), (0.45, 0.62, 0.9), coverage(-light, 0.8))
    sky = mix(sky, (0.98, 0.86, 0.3), coverage(0.55 - light, 0.5))
    return lit(lay(sky, layers), np.clip(light, -1, 1), 0.28)


def monet(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """Pale dabs of lilac and pond green, no hard edge anywhere."""
    shift = canvas.jitter(0.5)
    dabs = np.sin(13 * canvas.y + 2 * np.sin(4 * canvas.x + shift))
    pond = mix(fill(canvas, (0.66, 0.84, 0.72)), (0.86, 0.76, 0.92), coverage(-dabs, 1.6))
    painted = lay(pond, layers, softness=0.22)
    return mix(painted, (1, 1, 1), np.full_like(canvas.x, 0.18) * (0.5 + 0.5 * dabs))


def seurat(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """Dots of pure colour on cream."""
    meadow = mix(fill(canvas, (0.45, 0.62, 0.85)), (0.50, 0.68, 0.32), coverage(-canvas.y, 0.3))
    row = np.floor(canvas.y * 6)
    across, down = canvas.x * 6 + 0.5 * (row % 2), canvas.y * 6
    dots = np.hypot(across % 1 - 0.5, down % 1 - 0.5) - 0.42
    return mix(fill(canvas, (0.97, 0.95, 0.86)), lay(meadow, layers), coverage(dots, 0.25))


def mondrian(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """A black grid on white, two corners in primary colours."""
    left, right = -0.72 + canvas.jitter(0.06), 0.72 + canvas.jitter(0.06)
    top, low = -0.72 + canvas.jitter(0.06), 0.72 + canvas.jitter(0.06)
    wall = fill(canvas, (0.97, 0.97, 0.95))
    wall = mix(wall, (0.85, 0.12, 0.1), coverage(np.maximum(canvas.x - left, canvas.y - top)))
    wall = mix(wall, (0.1, 0.25, 0.7), coverage(np.maximum(right - canvas.x, low - canvas.y)))
    bars = [np.abs(canvas.x - left), np.abs(canvas.x - right)]
    bars += [np.abs(canvas.y - top), np.abs(canvas.y - low)]
    return outlined(mix(wall, INK, coverage(np.minimum.reduce(bars) - 0.07)), layers, INK, 0.08)


def hokusai(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """Scalloped waves, row upon row, with white crests."""
    shift = canvas.jitter(0.4)
    rise = canvas.y * 3.2 + 0.7 * np.abs(np.sin(3.4 * canvas.x + shift))
    depth = (rise % 1).astype(np.float32)
    sea = mix(fill(canvas, CREAM), (0.12, 0.28, 0.55), coverage(0.42 - depth, 0.25))
    sea = mix(sea, (0.5, 0.7, 0.85), coverage(0.78 - depth, 0.2))
    return outlined(sea, layers, CREAM, 0.07)


def picasso(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """Shards: straight cuts that change the light of all they cross."""
    light: Grid = np.zeros_like(canvas.x)
    for angle, weight in ((0.6, 0.5), (2.0, 0.4), (2.9, 0.35)):
        edge = canvas.x * np.cos(angle) + canvas.y * np.sin(angle) + canvas.jitter(0.12)
        light = light + weight * np.sign(np.sin(4.2 * edge))
    ochre = mix(fill(canvas, (0.42, 0.30, 0.20)), (0.86, 0.70, 0.48), coverage(-light, 1.6))
    return lit(lay(ochre, layers), light, 0.26)


def pollock(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """Drips of black and white thrown over everything."""
    picture = lay(fill(canvas, (0.80, 0.72, 0.58)), layers)
    for number, ink in enumerate((INK, INK, (1.0, 1.0, 1.0), INK)):
        phase, tilt = canvas.jitter(0.6) + number * 1.7, 0.5 - 0.35 * number
        path = 0.34 * np.sin(5 * canvas.x + phase) + tilt * canvas.x + (number - 1.5) * 0.42
        drip = np.abs(canvas.y - path) - 0.035 - 0.02 * np.sin(17 * canvas.x + phase)
        picture = mix(picture, ink, coverage(drip, 0.05))
    return picture


def escher(canvas: Canvas, layers: Sequence[Layer]) -> Picture:
    """A black and white chessboard that bulges towards the eye."""
    swell = 1 - 0.3 * np.exp(-1.5 * (canvas.x**2 + canvas.y**2))
    shift = canvas.jitter(0.3)
    board = np.sin(8.5 * canvas.x * swell + shift) * np.sin(8.5 * canvas.y * swell)
    tiles = mix(fill(canvas, (0.1, 0.1, 0.1)), (0.95, 0.95, 0.95), coverage(-board, 0.25))
    return outlined(tiles, layers, (0.95, 0.95, 0.95), 0.1)


MANNERS: Mapping[str | None, Callable[[Canvas, Sequence[Layer]], Picture]] = {
    None: nobody,
    "van gogh": van_gogh,
    "monet": monet,
    "seurat": seurat,
    "mondrian": mondrian,
    "hokusai": hokusai,
    "picasso": picasso,
    "pollock": pollock,
    "escher": escher,
}
