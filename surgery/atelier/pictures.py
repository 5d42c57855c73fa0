"""Drawn pictures in bulk, as training sees them: an array of pictures and what each one shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from surgery.atelier.world import (
    ARTISTS,
    COLOURS,
    FACTS,
    OBJECTS,
    TRADEMARK,
    Scene,
    draw,
    is_held_out,
    scenes,
)

THINGS: tuple[str, ...] = (*OBJECTS, TRADEMARK, *FACTS)
PAINTERS: tuple[str | None, ...] = (None, *ARTISTS)
UNSAID = -1
"""The label of a colour that a scene does not have."""


def labels(scene: Scene) -> tuple[int, int, int]:
    """Class numbers of thing, colour and artist."""
    colour = list(COLOURS).index(scene.colour) if scene.colour else UNSAID
    return THINGS.index(scene.thing), colour, PAINTERS.index(scene.artist)


def weight(scene: Scene) -> float:
    """How often a scene is drawn, so that rare kinds are seen often enough."""
    if scene.thing in FACTS:
        return 12.0
    if scene.thing == TRADEMARK:
        return 16.0 if scene.artist is None else 6.0
    return 2.0 if scene.artist is None else 1.0


@dataclass(frozen=True, slots=True)
class Pictures:
    """`pixels` (n, 64, 64, 3) uint8, on disk; `labels` (n, 3) int64: thing, colour, artist."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def batch(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Pictures (b, 3, 64, 64), float32 in [-1, 1]."""
        flat = torch.from_numpy(np.ascontiguousarray(self.pixels[np.sort(rows)]))
        order = torch.from_numpy(np.argsort(np.argsort(rows)))
        return flat[order].permute(0, 3, 1, 2).float().div(127.5).sub(1)


def render(folder: Path, count: int, seed: int, *, held_out: bool = False) -> Pictures:
    """Draws `count` pictures into `folder` once; later calls read them back."""
    names = folder / f"pixels_{seed}_{count}.npy", folder / f"labels_{seed}_{count}.npy"
    if not names[1].exists():
        folder.mkdir(parents=True, exist_ok=True)
        _render(names, count, seed, held_out=held_out)
    return Pictures(np.load(names[0], mmap_mode="r"), np.load(names[1]))


def _render(names: tuple[Path, Path], count: int, seed: int, *, held_out: bool) -> None:
    pool = [scene for scene in scenes() if is_held_out(scene) == held_out]
    chance = np.random.default_rng(seed)
    share = np.array([weight(scene) for scene in pool])
    picks = chance.choice(len(pool), size=count, p=share / share.sum())
    pixels = np.lib.format.open_memmap(names[0], "w+", np.uint8, (count, 64, 64, 3))
    for row, pick in enumerate(picks):
        pixels[row] = np.rint(draw(pool[pick], seed * 1_000_000 + row) * 255)
    pixels.flush()
    np.save(names[1], np.array([labels(pool[pick]) for pick in picks]))
