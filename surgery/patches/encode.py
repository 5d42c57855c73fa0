"""Makes a PatchFile of a solved Patch. Writes nothing.

A low-rank change is kept as its factors, in float32 or float64, whichever makes the file smaller
with all that the rounded prediction lacks. A change of another form, or one of so high a rank that
factors take more than twice the room, is kept as the difference of the stored words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from surgery.edits.delta import LowRank, Mapped
from surgery.errors import EditError
from surgery.patch import Change, Patch
from surgery.patches.difference import between
from surgery.patches.headers import changed_files, header_change
from surgery.patches.rebuild import change, moved
from surgery.patches.stored import (
    Factor,
    HeaderChange,
    PatchFile,
    StoredTensor,
    unique_arrays,
)
from surgery.scaled import numbers, scale_name
from surgery.store.checkpoint import Checkpoint, TensorRef
from surgery.store.header import with_metadata

After = Callable[[str], bytes]
# Factors that take less of a tensor's own bytes than this are not held against its difference.
_SMALL = 0.25
# Factors say more than the difference they replace, and can become a LoRA; so they may take more.
_WORTH = 2


def from_patch(
    patch: Patch, checkpoint: Checkpoint, after: After, metadata: Mapping[str, str]
) -> PatchFile:
    """Return the patch file of a solved edit.

    Args:
        checkpoint: what the patch was solved for; only changed tensors and their scales are read.
        after: tensor name -> its new bytes, as they were or would be written.
        metadata: the `surgery.*` keys that were or would be written to the changed files.
    """
    tensors = _tensors(patch, checkpoint, after, _Narrow())
    lacking = sum(tensor.forward.nbytes for tensor in tensors)
    # Wider factors cost as much again, and spare at most what the narrow ones lack.
    if lacking > sum(array.nbytes for array in unique_arrays(tensors)):
        wide = _tensors(patch, checkpoint, after, _Narrow(np.dtype("<f8")))
        tensors = min(wide, tensors, key=_size)
    return PatchFile(
        base=patch.base,
        metadata=metadata,
        tensors=(*tensors, *_scales(patch.changes, checkpoint)),
        headers=tuple(_headers(patch, checkpoint, metadata)),
    )


def by_value(ref: TensorRef, old: bytes, new: bytes) -> StoredTensor:
    """Return the change of a tensor as the difference of its stored words."""
    return _by_words(_bare(ref, old, new), old, new)


def _bare(ref: TensorRef, old: bytes, new: bytes) -> StoredTensor:
    """A tensor and the digests of its two values, without what leads from one to the other."""
    before, after = (sha256(value).hexdigest() for value in (old, new))
    return StoredTensor(ref.name, ref.dtype, ref.shape, before, after)


def _scales(names: Mapping[str, object], checkpoint: Checkpoint) -> Iterator[StoredTensor]:
    """Yield the scales of 8-bit tensors, which do not change and which new values depend on."""
    found = {scale: None for name in names if (scale := scale_name(name, checkpoint))}
    for name in found:
        value = checkpoint[name].read()
        yield _bare(checkpoint[name], value, value)


@dataclass
class _Narrow:
    """Rounds arrays to the type they are stored in; one that is shared stays one array."""

    dtype: np.dtype[np.floating] = field(default_factory=lambda: np.dtype("<f4"))
    done: dict[int, tuple[object, NDArray[np.floating]]] = field(default_factory=dict)

    def factor(self, delta: LowRank, rows: tuple[int, int] | None) -> Factor:
        return Factor(self._array(delta.up), self._array(delta.down), rows)

    def _array(self, array: NDArray[np.floating]) -> NDArray[np.floating]:
        # The array itself is held too: its number is its own only while it lives.
        if id(array) not in self.done:
            with np.errstate(over="ignore"):
                narrow = np.ascontiguousarray(array, self.dtype)
            self.done[id(array)] = (array, narrow if np.isfinite(narrow).all() else array)
        return self.done[id(array)][1]


def _tensors(
    patch: Patch, checkpoint: Checkpoint, after: After, narrow: _Narrow
) -> tuple[StoredTensor, ...]:
    return tuple(
        _stored(checkpoint, name, after(name), _low_rank(changes, checkpoint, name, narrow))
        for name, changes in patch.changes.items()
    )


def _low_rank(
    changes: Sequence[Change], checkpoint: Checkpoint, name: str, narrow: _Narrow
) -> tuple[Factor, ...]:
    """The changes of a tensor as factors; empty where one of them is not low-rank."""
    factors = []
    for at, each in enumerate(changes):
        delta = each.delta
        if isinstance(delta, Mapped):
            # A map acts on what the changes before it left.
            weight = numbers(checkpoint, name)
            value = reduce(lambda value, one: one.added_to(value), changes[:at], weight)
            first, last = each.rows or (0, len(value))
            delta = delta.of(value[first:last])
        if not isinstance(delta, LowRank):
            return ()
        factors.append(narrow.factor(delta, each.rows))
    return tuple(factors)


def _stored(
    checkpoint: Checkpoint, name: str, new: bytes, factors: tuple[Factor, ...]
) -> StoredTensor:
    ref = checkpoint[name]
    old = ref.read()
    bare = _bare(ref, old, new)
    low = _by_factors(checkpoint, replace(bare, factors=factors), old, new) if factors else None
    if low and _size((low,)) < _SMALL * ref.nbytes:
        return low
    plain = _by_words(bare, old, new)
    return low if low and _size((low,)) < _WORTH * _size((plain,)) else plain


def _by_factors(
    checkpoint: Checkpoint, tensor: StoredTensor, old: bytes, new: bytes
) -> StoredTensor | None:
    """The tensor with what its factors lack; None where they lead beyond the type's numbers."""
    whole = change(tensor.factors, tensor.shape)
    try:
        there = moved(checkpoint, tensor.name, old, whole)
        back = moved(checkpoint, tensor.name, there, -whole)
    except EditError:
        return None
    forward, backward = between(there, new, tensor.word), between(back, old, tensor.word)
    return replace(tensor, forward=forward, backward=backward)


def _by_words(tensor: StoredTensor, old: bytes, new: bytes) -> StoredTensor:
    return replace(tensor, forward=between(old, new, tensor.word))


def _size(tensors: tuple[StoredTensor, ...]) -> int:
    arrays = sum(array.nbytes for array in unique_arrays(tensors))
    return arrays + sum(tensor.correction_bytes for tensor in tensors)


def _headers(
    patch: Patch, checkpoint: Checkpoint, metadata: Mapping[str, str]
) -> Iterator[HeaderChange]:
    for name in changed_files(checkpoint, patch.changes):
        raw = checkpoint.headers[name].raw
        shown = "" if checkpoint.kind == "file" else name
        yield header_change(shown, raw, with_metadata(checkpoint.headers[name], metadata))
