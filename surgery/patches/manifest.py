"""The parts of a patch file that are text: what each array and blob is for, as strict JSON.

A false or foreign text is refused here with its field; what the arrays hold is checked in `read`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from surgery.errors import CheckpointError
from surgery.patches.difference import Difference
from surgery.patches.stored import HeaderChange, word_bytes
from surgery.store.entries import DTYPE_BITS
from surgery.store.record import MARK
from surgery.store.strict_json import load_object
from surgery.store.text import visible

FORMAT, MANIFEST = "surgery.patch", "surgery.manifest"
VERSION = "1"
FLOATS = {"F32": "<f4", "F64": "<f8"}
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_LONGEST = 2**48
# No recipe changes one tensor this often, and each one costs a product.
_MOST_FACTORS = 1000
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=_LONGEST)]


class DifferenceEntry(BaseModel):
    """Where the bytes of a difference are, and how many they inflate to."""

    model_config = _STRICT

    data: str
    count: Annotated[int, Field(ge=1, le=_LONGEST)]
    gap_bytes: Annotated[int, Field(ge=0, le=8)]
    value_bytes: Annotated[int, Field(ge=1, le=8)]

    @classmethod
    def of(cls, difference: Difference, data: str) -> DifferenceEntry | None:
        """The entry of a difference whose bytes are called `data`; None where nothing differs."""
        if not difference.count:
            return None
        counts = {name: getattr(difference, name) for name in ("count", "gap_bytes", "value_bytes")}
        return cls(data=data, **counts)

    def difference(self, packed: bytes) -> Difference:
        """The value that this describes."""
        return Difference(self.count, self.gap_bytes, self.value_bytes, packed)


class FactorEntry(BaseModel):
    """Which arrays are the two factors of a summand, and which rows it is for."""

    model_config = _STRICT

    up: str
    down: str
    rows: tuple[Count, Count] | None = None


class TensorRecord(BaseModel):
    """How one tensor changes."""

    model_config = _STRICT

    name: str
    dtype: str
    shape: tuple[Count, ...]
    before: Digest
    after: Digest
    factors: Annotated[tuple[FactorEntry, ...], Field(max_length=_MOST_FACTORS)] = ()
    forward: DifferenceEntry | None = None
    backward: DifferenceEntry | None = None

    def check(self, where: str) -> None:
        """Raise CheckpointError where the numbers of the entry do not fit each other."""
        place = f"{where}:{visible(self.name[:200])}"
        if self.dtype not in DTYPE_BITS:
            raise CheckpointError("the patch names a type that there is not", where=place)
        bits = prod(self.shape) * DTYPE_BITS[self.dtype]
        if bits > 8 * _LONGEST or bits % 8:
            raise CheckpointError("the patch names a shape that no file can hold", where=place)
        words = bits // 8 // word_bytes(self.dtype)
        for each in (self.forward, self.backward):
            if each and (each.count > words or each.value_bytes > word_bytes(self.dtype)):
                raise CheckpointError("a difference is larger than the tensor", where=place)
            if each and not each.gap_bytes and each.count != words:
                raise CheckpointError("a difference is shorter than the tensor", where=place)
        if self.factors and not self.shape:
            raise CheckpointError("factors for a tensor without rows", where=place)


class HeaderEntry(BaseModel):
    """How the header of one weight file changes."""

    model_config = _STRICT

    file: str
    before: Digest
    after: Digest
    at: Count
    old: str
    new: str
    old_padding: Annotated[str, Field(pattern="^[ \t\r\n]*$")]
    new_padding: Annotated[str, Field(pattern="^[ \t\r\n]*$")]

    def change(self) -> HeaderChange:
        """The value that this describes."""
        return HeaderChange(**self.model_dump())


class Manifest(BaseModel):
    """All of it."""

    model_config = _STRICT

    tensors: tuple[TensorRecord, ...]
    headers: tuple[HeaderEntry, ...]
    records: tuple[str, str] = ("", "")

    def to_json(self) -> str:
        """One line of JSON."""
        return self.model_dump_json(exclude_defaults=True)


def parse(text: str, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        CheckpointError: no strict JSON, other fields, or numbers that cannot be.
    """
    load_object(text.encode(), where)
    try:
        manifest = TypeAdapter(Manifest).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        problem = f"the patch is damaged at {visible(path[:200])}: {visible(first['msg'][:200])}"
        raise CheckpointError(problem, where=where) from error
    for entry in manifest.tensors:
        entry.check(where)
    for text in manifest.records:
        # What a patch writes beside a model must be what it says to be.
        if text and not text.startswith(MARK):
            raise CheckpointError("the patch is damaged at records: this is none", where=where)
    _check_once([entry.name for entry in manifest.tensors], where)
    _check_once([entry.file for entry in manifest.headers], where)
    return manifest


def _check_once(names: Sequence[str], where: str) -> None:
    if len(set(names)) != len(names):
        raise CheckpointError("the patch is damaged: it names a tensor or file twice", where=where)
