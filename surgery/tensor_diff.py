"""How one tensor differs from another: counts, norms and rank, a few megabytes at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surgery.errors import EditError
from surgery.numerics.rank import numerical_rank
from surgery.numerics.tensors import decode, encode
from surgery.report import TensorChange
from surgery.store.checkpoint import TensorRef
from surgery.store.compare import blocks

FLOATS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
_MAX_WIDTH = 4096

Array = NDArray[np.float64]


def other_values(a: TensorRef, b: TensorRef) -> TensorChange:
    """How two tensors of one type and shape, whose bytes differ, differ in their values."""
    changed = sum(_changed_entries(x, y, a) for x, y in blocks(a, b))
    figures = _figures(a, b) if a.dtype in FLOATS else _Figures()
    return figures.change("values", a, b, changed)


def another_type(a: TensorRef, b: TensorRef) -> TensorChange:
    """How two tensors of one shape and of different types differ.

    Counts as changed the entries that are not the plain rounding of `a` to the type of `b`.
    """
    if not {a.dtype, b.dtype} <= FLOATS:
        return TensorChange(a.name, "dtype", spoken(a), spoken(b), b.nbytes, entries(b))
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
            spoken(a),
            spoken(b),
            b.nbytes,
            entries(b),
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
    count = len(raw) * entries(ref) // max(ref.nbytes, 1)
    return decode(raw, ref.dtype, (count,)).astype(np.float64)


def _changed_entries(x: bytes, y: bytes, ref: TensorRef) -> int:
    if x == y:
        return 0
    size = ref.nbytes // max(entries(ref), 1)
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


def entries(ref: TensorRef) -> int:
    """How many numbers a tensor holds."""
    count = 1
    for size in ref.shape:
        count *= size
    return count


def spoken(ref: TensorRef) -> str:
    """Type and shape, as in `F16 [320, 768]`."""
    return f"{ref.dtype} {list(ref.shape)}"
