"""diff: what differs between two checkpoints, tensor by tensor. Streams; holds one tensor at most.

Bytes are compared first, so only what differs is decoded. Names are taken as they are: a single
file and a folder of the same model have no name in common.
"""

from __future__ import annotations

import filecmp
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surgery.blocks import by_block
from surgery.errors import EditError, LayoutError
from surgery.layout import detect
from surgery.numerics.rank import numerical_rank
from surgery.numerics.tensors import decode, encode
from surgery.report import DiffReport, TensorChange
from surgery.store.checkpoint import Checkpoint, TensorRef
from surgery.store.compare import blocks, same_bytes
from surgery.store.files import check_unchanged
from surgery.verdict import sameness, verdict

FLOATS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
_MAX_WIDTH = 4096

Array = NDArray[np.float64]


def diff(
    before: Checkpoint,
    after: Checkpoint,
    *,
    progress: Callable[[int], None] | None = None,
) -> DiffReport:
    """Compare two checkpoints.

    Args:
        progress: called with the number of bytes just compared.

    Raises:
        CheckpointError: a file changed, went away or got shorter meanwhile.
    """
    changes: list[TensorChange] = []
    for name in (*before, *(name for name in after if name not in before)):
        change = _compare(before.get(name), after.get(name))
        if change:
            changes.append(change)
        if progress:
            progress((before.get(name) or after[name]).nbytes)
    for checkpoint in (before, after):
        _check_still_there(checkpoint)
    total = len(before.keys() | after.keys())
    common = [name for name in before if name in after]
    reordered = common != [name for name in after if name in before]
    files, metadata = _side_files(before, after), _metadata(before, after)
    beside = sameness(reordered=reordered, metadata=bool(metadata), files=bool(files))
    return DiffReport(
        before=before.address,
        after=after.address,
        verdict=verdict(changes, before) if changes else beside,
        tensors=total,
        identical=total - len(changes),
        changes=_sited(changes, before),
        side_files=files,
        metadata=metadata,
        blocks=by_block(changes, common),
        reordered=reordered,
    )


def _check_still_there(checkpoint: Checkpoint) -> None:
    """A file replaced halfway would have been compared half old, half new."""
    if checkpoint.kind in ("file", "sharded", "folder") and not checkpoint.is_remote:
        for name, stamp in checkpoint.stamps.items():
            check_unchanged(checkpoint.path(name), stamp)


def _sited(changes: Sequence[TensorChange], before: Checkpoint) -> tuple[TensorChange, ...]:
    """The changes with the names that the layout has for them, where there is a layout."""
    if not changes:
        return ()
    try:
        layout = detect(before)
    except LayoutError:
        return tuple(changes)
    sites: dict[str, list[str]] = {}
    for site in layout.sites:
        sites.setdefault(site.tensor, []).append(str(site))
    return tuple(replace(each, sites=tuple(sites.get(each.name, ()))) for each in changes)


def _compare(a: TensorRef | None, b: TensorRef | None) -> TensorChange | None:
    if a is None or b is None:
        ref = a or b
        assert ref is not None
        spoken = _spoken(ref)
        if a is None:
            return TensorChange(ref.name, "added", "", spoken, ref.nbytes, _entries(ref))
        return TensorChange(ref.name, "removed", spoken, "", ref.nbytes, _entries(ref))
    if a.shape != b.shape:
        return TensorChange(a.name, "shape", _spoken(a), _spoken(b), b.nbytes, _entries(b))
    if a.dtype != b.dtype:
        return _another_type(a, b)
    if same_bytes(a, b):
        return None
    return _other_values(a, b)


def _other_values(a: TensorRef, b: TensorRef) -> TensorChange:
    changed = sum(_changed_entries(x, y, a) for x, y in blocks(a, b))
    figures = _figures(a, b) if a.dtype in FLOATS else _Figures()
    return figures.change("values", a, b, changed)


def _another_type(a: TensorRef, b: TensorRef) -> TensorChange:
    """Counts as changed the entries that are not the plain rounding of `a` to the type of `b`."""
    if not {a.dtype, b.dtype} <= FLOATS:
        return TensorChange(a.name, "dtype", _spoken(a), _spoken(b), b.nbytes, _entries(b))
    changed = sum(_not_rounded(x, y, a, b) for x, y in blocks(a, b))
    return _figures(a, b).change("dtype", a, b, changed)


class _Figures:
    """Running figures of a difference; None where a value is not finite."""

    def __init__(self) -> None:
        self.max_abs: float | None = None
        self.relative_norm: float | None = None
        self.rank: int | None = None
        self.norm: float | None = None

    def change(self, kind: str, a: TensorRef, b: TensorRef, changed: int) -> TensorChange:
        return TensorChange(
            a.name,
            "dtype" if kind == "dtype" else "values",
            _spoken(a),
            _spoken(b),
            b.nbytes,
            _entries(b),
            changed,
            self.max_abs,
            self.relative_norm,
            self.rank,
            self.norm,
        )


def _figures(a: TensorRef, b: TensorRef) -> _Figures:
    figures, largest, delta_sq, base_sq = _Figures(), 0.0, 0.0, 0.0
    keep = len(a.shape) == 2 and max(a.shape) <= _MAX_WIDTH and a.dtype == b.dtype
    deltas: list[NDArray[np.float32]] = []
    sizes: list[NDArray[np.float32]] = []
    for x, y in blocks(a, b):
        old, new = _numbers(x, a), _numbers(y, b)
        delta = np.where(_same(old, new), 0.0, new - old)
        if not np.isfinite(delta).all():
            return figures
        largest = max(largest, float(np.abs(delta).max(initial=0.0)))
        delta_sq += float(np.vdot(delta, delta))
        base_sq += float(np.vdot(old, old))
        if keep:
            deltas.append(delta.astype(np.float32))
            sizes.append(np.maximum(np.abs(old), np.abs(new)).astype(np.float32))
    figures.max_abs = largest
    if base_sq > 0 and np.isfinite(base_sq):
        figures.relative_norm = float(np.sqrt(delta_sq / base_sq))
        figures.norm = float(np.sqrt(base_sq))
    if deltas and np.isfinite(base_sq):
        delta, size = (np.concatenate(parts).reshape(a.shape) for parts in (deltas, sizes))
        figures.rank = numerical_rank(delta, size, a.dtype)
    return figures


def _same(old: Array, new: Array) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (old == new) | (np.isnan(old) & np.isnan(new))
    return same


def _numbers(raw: bytes, ref: TensorRef) -> Array:
    count = len(raw) * _entries(ref) // max(ref.nbytes, 1)
    return decode(raw, ref.dtype, (count,)).astype(np.float64)


def _changed_entries(x: bytes, y: bytes, ref: TensorRef) -> int:
    if x == y:
        return 0
    size = ref.nbytes // max(_entries(ref), 1)
    differs = np.frombuffer(x, np.uint8) != np.frombuffer(y, np.uint8)
    return int(np.count_nonzero(differs.reshape(-1, size).any(axis=1) if size > 1 else differs))


def _not_rounded(x: bytes, y: bytes, a: TensorRef, b: TensorRef) -> int:
    old, new = _numbers(x, a), _numbers(y, b)
    finite = np.isfinite(old)
    try:
        rounded = _numbers(encode(np.where(finite, old, 0.0), b.dtype), b)
    except EditError:
        rounded = old
    return int(np.count_nonzero(~_same(np.where(finite, rounded, old), new)))


def _entries(ref: TensorRef) -> int:
    count = 1
    for size in ref.shape:
        count *= size
    return count


def _spoken(ref: TensorRef) -> str:
    return f"{ref.dtype} {list(ref.shape)}"


def _side_files(before: Checkpoint, after: Checkpoint) -> tuple[str, ...]:
    """Names of the files beside the weights that are in one only or differ."""
    old, new = _beside(before), _beside(after)
    both = old.keys() & new.keys()
    same = {name for name in both if filecmp.cmp(old[name], new[name], shallow=False)}
    return tuple(sorted((old.keys() | new.keys()) - same))


def _beside(checkpoint: Checkpoint) -> Mapping[str, Path]:
    names = (name for name in checkpoint.stamps if name not in checkpoint.headers)
    return {name: checkpoint.path(name) for name in names}


def _metadata(before: Checkpoint, after: Checkpoint) -> tuple[str, ...]:
    """`file: key` of every metadata entry that differs; two single files are paired as they are."""
    old, new = _entries_of(before), _entries_of(after)
    return tuple(key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key))


def _entries_of(checkpoint: Checkpoint) -> Mapping[str, str]:
    single = checkpoint.kind == "file"
    return {
        key if single else f"{file}: {key}": value
        for file, entries in checkpoint.metadata.items()
        for key, value in entries.items()
    }
