"""Patches for LoRA tests, and what a loader makes of the files, without any loader's code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from surgery.edits.delta import Delta, LowRank
from surgery.layout import Layout, detect
from surgery.lora.formats import LoraFormat, Named, named
from surgery.lora.layers import layers
from surgery.lora.modules import Modules
from surgery.patch import Change, Patch
from surgery.scaled import numbers
from surgery.store.checkpoint import Checkpoint

Arrays = Mapping[str, np.ndarray]


def patch_of(changes: Mapping[str, tuple[Change, ...]], checkpoint: Checkpoint) -> Patch:
    """A patch of given changes."""
    return Patch(changes, '{"name":"by hand"}', checkpoint.fingerprint, "test", ())


def one_change(name: str, delta: Delta, checkpoint: Checkpoint) -> Patch:
    """A patch of one change of one tensor."""
    return patch_of({name: (Change(delta),)}, checkpoint)


def low_rank(out: int, inner: int, rank: int, *, seed: int = 0, size: float = 0.1) -> LowRank:
    """A random change; its factors differ in length."""
    draw = np.random.default_rng(seed)
    up, down = draw.normal(size=(out, rank)), draw.normal(size=(rank, inner))
    return LowRank(30 * size * up, down / 30)


def random_patch(checkpoint: Checkpoint, selector: str, *, size: float = 0.1) -> Patch:
    """Changes of ranks 1, 2, 3, 1, ... at the selected sites, fused tensors by their rows."""
    changes: dict[str, tuple[Change, ...]] = {}
    for number, site in enumerate(detect(checkpoint).select(selector)):
        out, inner = checkpoint[site.tensor].shape
        rows = site.rows or (0, out)
        delta = low_rank(rows[1] - rows[0], inner, 1 + number % 3, seed=number, size=size)
        changes[site.tensor] = (*changes.get(site.tensor, ()), Change(delta, site.rows))
    return patch_of(changes, checkpoint)


def names_in(
    patch: Patch, checkpoint: Checkpoint, format: LoraFormat
) -> tuple[Layout, tuple[Named, ...]]:
    """The layers of a patch under a format's names."""
    layout = detect(checkpoint)
    found = layers(patch, checkpoint, layout)
    return layout, named(found, layout, Modules(layout, checkpoint), format)


def edited(patch: Patch, checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """The changed tensors of a checkpoint as a patch leaves them, in float32."""
    return {
        name: patch.value(name, numbers(checkpoint, name).astype(np.float64)).astype(np.float32)
        for name in patch.changes
    }


def product(path: Path, up: str, down: str) -> np.ndarray:
    """What two factors of a file add."""
    tensors = load_file(path)
    return tensors[up].astype(np.float64) @ tensors[down].astype(np.float64)
