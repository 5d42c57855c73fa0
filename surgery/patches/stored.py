"""What a patch file holds, as plain values. Opens no file and computes nothing of a model.

The exact change of a tensor is its factors, if it has any, and two differences: what the value that
they predict lacks of the true one, forwards and backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from surgery.edits.delta import LowRank
from surgery.errors import EditError
from surgery.patch import Change, Patch
from surgery.patches.difference import NOTHING, Difference
from surgery.store.entries import DTYPE_BITS
from surgery.store.text import visible


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One low-rank summand of a tensor's change, or of some of its rows.

    Args:
        up: (out, r), float32 or float64.
        down: (r, in), likewise; the same array where several tensors share it.
        rows: first and last+1 row that it is for; None means all.
    """

    up: NDArray[np.floating]
    down: NDArray[np.floating]
    rows: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """How one tensor changes.

    Args:
        before: hex SHA-256 of its bytes before the edit; `after` likewise.
        factors: what is added, in order; empty where the change is not kept as low rank.
        forward: what the sum of the old value and the factors' products lacks of the new one.
        backward: what the new value less those products lacks of the old one. Without factors
            there is none: `forward` is the whole change, and is taken off again.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    before: str
    after: str
    factors: tuple[Factor, ...] = ()
    forward: Difference = NOTHING
    backward: Difference = NOTHING

    @property
    def changes(self) -> bool:
        """Whether the patch changes it; a tensor that only gives the scale of another stays."""
        return self.before != self.after

    @property
    def word(self) -> int:
        """Bytes of the words that differences count in."""
        return word_bytes(self.dtype)

    @property
    def rank(self) -> int | None:
        """The width of the factors together; None where there are none."""
        return sum(factor.down.shape[0] for factor in self.factors) if self.factors else None

    @property
    def correction_bytes(self) -> int:
        """Bytes of both differences in a file."""
        return self.forward.nbytes + self.backward.nbytes


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """How the header of one weight file changes: a piece of its text, and the spaces after it.

    Args:
        file: its relative name; "" for a model that is a single file.
        before: hex SHA-256 of the header, length prefix included; `after` likewise.
        at: characters before the piece.
        old: the piece before, `new` after.
        old_padding: what follows the text before, `new_padding` after.
    """

    file: str
    before: str
    after: str
    at: int
    old: str
    new: str
    old_padding: str
    new_padding: str


@dataclass(frozen=True, slots=True, eq=False)
class PatchFile:
    """A patch as it is on the disk.

    Args:
        base: fingerprint of the model that it was made from.
        metadata: the `surgery.*` keys that its edit gives to a file; none where the patch was made
            of two models.
        tensors: the changed tensors and those that hold their scales.
        headers: of the weight files with changed tensors.
        records: text of the record before the edit, and after it; "" for none.
    """

    base: str
    metadata: Mapping[str, str]
    tensors: tuple[StoredTensor, ...]
    headers: tuple[HeaderChange, ...] = ()
    records: tuple[str, str] = ("", "")

    def with_records(self, before: str | None, after: str | None) -> PatchFile:
        """The same patch with the records of the model before the edit, and after it."""
        return replace(self, records=(before or "", after or ""))

    @property
    def recipe(self) -> str:
        """The recipe in one line of JSON; "" for a patch that was made of two models."""
        return self.metadata.get("surgery.recipe", "")

    @property
    def changed(self) -> tuple[StoredTensor, ...]:
        """The tensors that the patch changes."""
        return tuple(tensor for tensor in self.tensors if tensor.changes)

    @property
    def factor_bytes(self) -> int:
        """Bytes of all factors, each counted once."""
        return sum(array.nbytes for array in unique_arrays(self.tensors))

    def as_patch(self) -> Patch:
        """Return the same changes as a Patch of low-rank deltas, without records of its edits.

        The sum of a tensor and its delta, rounded to its type, is the new value up to its last bit.

        Raises:
            EditError: the change of a tensor is not kept as low rank.
        """
        for tensor in self.changed:
            if not tensor.factors:
                raise _no_factors(tensor, self.recipe)
        return Patch(
            {tensor.name: _changes(tensor) for tensor in self.changed},
            self.recipe,
            self.base,
            self.metadata.get("surgery.version", "unknown"),
            edits=(),
        )


def word_bytes(dtype: str) -> int:
    """Bytes of the words that values of this type are compared in, at most those of a number."""
    bits = DTYPE_BITS[dtype]
    # A complex number is two of 32 bits; numbers that do not fill bytes are compared as bytes.
    return {"C64": 4}.get(dtype, bits // 8 if bits % 8 == 0 else 1)


def unique_arrays(tensors: tuple[StoredTensor, ...]) -> list[NDArray[np.floating]]:
    """The arrays of all factors, each object once."""
    factors = (factor for tensor in tensors for factor in tensor.factors)
    arrays = (array for factor in factors for array in (factor.up, factor.down))
    return list({id(array): array for array in arrays}.values())


def _no_factors(tensor: StoredTensor, recipe: str) -> EditError:
    hint = "a patch of two models has no factors: use the recipe that made the second one"
    if recipe:
        hint = "use the recipe itself, whose changes may still be of low rank"
    return EditError(
        "the patch keeps the change of this tensor by value, not as low-rank factors",
        where=visible(tensor.name),
        hint=hint,
    )


def _changes(tensor: StoredTensor) -> tuple[Change, ...]:
    return tuple(Change(LowRank(each.up, each.down), each.rows) for each in tensor.factors)
