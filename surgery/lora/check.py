"""Does the stored LoRA make the edit? Added to the base in float64 and held against the patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surgery.edits.delta import Array
from surgery.lora.formats import Named
from surgery.patch import Patch
from surgery.scaled import numbers
from surgery.store.checkpoint import Checkpoint

# Half a unit in the last place of a number, and of the smallest one.
ROUNDING: Mapping[str, tuple[float, float]] = {
    "F32": (2.0**-24, 2.0**-150),
    "F16": (2.0**-11, 2.0**-25),
}
# What float64 itself leaves of the sums that are compared.
_FLOAT64 = 2.0**-48


@dataclass(frozen=True, slots=True)
class LoraTensor:
    """One tensor of the base, and how close the LoRA comes to its edited value.

    Args:
        modules: the layers that change it, several where it is fused.
        rank: the largest of them.
        max_abs: largest difference of any weight from the edited one.
        relative: norm of the difference, as a share of the norm of the change.
        allowed: the most that storing the factors in their type can make of it.
    """

    tensor: str
    modules: tuple[str, ...]
    shape: tuple[int, ...]
    rank: int
    relative_norm: float
    max_abs: float
    relative: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether rounding explains the difference."""
        return self.relative <= self.allowed


def compare(
    patch: Patch,
    checkpoint: Checkpoint,
    named: Sequence[Named],
    stored: Mapping[str, Array],
    dtype: str,
) -> tuple[LoraTensor, ...]:
    """Add the factors as stored to the base, and measure against the edited weights.

    Args:
        stored: file and tensor name -> numbers, as a loader would read them.
        dtype: what the factors are stored as.
    """
    groups: dict[str, list[Named]] = {}
    for one in named:
        groups.setdefault(one.layer.site.tensor, []).append(one)
    return tuple(
        _compared(name, patch, numbers(checkpoint, name).astype(np.float64), (own, stored, dtype))
        for name, own in groups.items()
    )


def _compared(
    name: str, patch: Patch, base: Array, given: tuple[list[Named], Mapping[str, Array], str]
) -> LoraTensor:
    named, stored, dtype = given
    edited = patch.value(name, base) if name in patch.changes else base
    ours = base.copy()
    for one in named:
        first, last = one.layer.site.rows or (0, len(ours))
        ours[first:last] += loaded(one, stored)
    change, difference = float(np.linalg.norm(edited - base)), ours - edited
    # A layer that is there for a loader only changes nothing, and has no share of it.
    whole = change or 1.0
    rounding = np.sqrt(sum(_bound(one, dtype) ** 2 for one in named))
    allowed = rounding + _FLOAT64 * np.linalg.norm(edited)
    return LoraTensor(
        tensor=name,
        modules=tuple(one.module for one in named),
        shape=base.shape,
        rank=max(one.layer.change.rank for one in named),
        relative_norm=float(change / np.linalg.norm(base)) if change else 0.0,
        max_abs=float(np.abs(difference).max()),
        relative=float(np.linalg.norm(difference) / whole),
        allowed=float(allowed / whole),
    )


def loaded(one: Named, stored: Mapping[str, Array]) -> Array:
    """What a loader adds to the layer's weight: alpha / rank times the product of the factors."""
    up, down = stored[one.file + one.up], stored[one.file + one.down]
    alpha = float(stored[one.file + one.alpha]) if one.alpha else len(down)
    product: Array = up.astype(np.float64) @ down.astype(np.float64)
    return product * (alpha / len(down))


def _bound(one: Named, dtype: str) -> float:
    """The most that rounding both factors can change of their product, as a norm."""
    up, down = one.change.up, one.change.down
    moved_up, moved_down = _moved(up, dtype), _moved(down, dtype)
    length_up, length_down = _length(up.T @ up), _length(down @ down.T)
    return moved_up * length_down + length_up * moved_down + moved_up * moved_down


def _moved(factor: Array, dtype: str) -> float:
    share, least = ROUNDING[dtype]
    return float(np.linalg.norm(np.maximum(share * np.abs(factor), least)))


def _length(gram: Array) -> float:
    """No less than the spectral norm of the factor with this Gram matrix."""
    return float(np.sqrt(np.linalg.norm(gram)))
