"""Small models, solved changes and the patches of them, for the tests of patch files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from surgery.edits.delta import Delta, LowRank
from surgery.numerics.tensors import encode
from surgery.patch import Change, EditRecord, Patch
from surgery.patches import PatchFile, from_patch
from surgery.scaled import numbers, stored_bytes
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.header import TensorEntry, build_header

FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")
SHAPE = (48, 64)
NAME = "block.weight"
Tensors = Mapping[str, tuple[str, np.ndarray]]


def write_model(path: Path, tensors: Tensors, metadata: Mapping[str, str] | None = None) -> Path:
    """A safetensors file of these numbers, each rounded to its type."""
    entries, pieces, at = [], [], 0
    for name, (dtype, values) in tensors.items():
        pieces.append(encode(values, dtype))
        entries.append(TensorEntry(name, dtype, values.shape, at, at + len(pieces[-1])))
        at += len(pieces[-1])
    path.write_bytes(build_header(entries, metadata or {}) + b"".join(pieces))
    return path


def weight(shape: Sequence[int] = SHAPE, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * scale


def low_rank(rank: int = 2, shape: Sequence[int] = SHAPE, seed: int = 9) -> LowRank:
    draw = np.random.default_rng(seed)
    up = draw.normal(size=(shape[0], rank)) * 0.3
    return LowRank(up, draw.normal(size=(rank, shape[1])) * 0.3)


def solved(checkpoint: Checkpoint, changes: Mapping[str, Sequence[Change]]) -> Patch:
    records = (EditRecord("quickfix", tuple(changes), 2),)
    kept = {name: tuple(own) for name, own in changes.items()}
    return Patch(kept, '{"name":"sample"}', checkpoint.fingerprint, "1", records)


def new_bytes(patch: Patch, checkpoint: Checkpoint, name: str) -> bytes:
    """What an edit would store."""
    value = patch.value(name, numbers(checkpoint, name))
    return stored_bytes(checkpoint, name, value)


def patch_of(checkpoint: Checkpoint, changes: Mapping[str, Sequence[Change]]) -> PatchFile:
    patch = solved(checkpoint, changes)
    after = {name: new_bytes(patch, checkpoint, name) for name in changes}
    return from_patch(patch, checkpoint, after.__getitem__, patch.metadata({}))


def one_change(path: Path, dtype: str, delta: Delta | None = None) -> tuple[Checkpoint, PatchFile]:
    """A model of one matrix, and the patch of a change to it."""
    write_model(path, {NAME: (dtype, weight()), "other": (dtype, weight((5,)))})
    checkpoint = open_checkpoint(path)
    return checkpoint, patch_of(checkpoint, {NAME: [Change(delta or low_rank())]})
