"""Writes a patch as a safetensors file: arrays and differences as tensors, the rest as metadata."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surgery.errors import CheckpointError
from surgery.patches.difference import Difference
from surgery.patches.manifest import (
    FLOATS,
    FORMAT,
    MANIFEST,
    VERSION,
    DifferenceEntry,
    FactorEntry,
    HeaderEntry,
    Manifest,
    TensorRecord,
)
from surgery.patches.stored import PatchFile, StoredTensor
from surgery.store.entries import DTYPE_BITS
from surgery.store.fresh import NewTensor, pieces, write_new
from surgery.store.header import read_header
from surgery.store.preflight import check_writable, real_place, refused
from surgery.store.publish import exists
from surgery.store.sink import reported
from surgery.version import __version__


def check_place(path: str | Path, *, force: bool) -> Path:
    """Return the real place of a patch that is to be written.

    Raises:
        OutputError: something is there, and without `force` or no patch; or its folder is missing
            or not writable.
    """
    with reported(Path(path)):
        target = real_place(Path(path))
        check_writable(target)
        if not target.exists():
            return target
    if not force:
        raise exists(target)
    try:
        is_patch = FORMAT in read_header(target).metadata
    except CheckpointError:
        is_patch = False
    if not is_patch:
        # A model named by mistake must survive --force.
        raise refused(target, "what is there is no patch", "remove it yourself if it may go")
    return target


def write_patch(patch: PatchFile, path: str | Path, *, force: bool = False) -> int:
    """Write a patch file, whole or not at all, and return its bytes.

    Args:
        force: replace a patch that is there; nothing else is ever replaced.

    Raises:
        OutputError: something is there, or it cannot be written.
        ResourceError: too little room.
    """
    target = check_place(path, force=force)
    return write_new(_pieces(patch), target, force=force)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The tensors of the file being made: a shared array becomes one of them."""

    blobs: dict[str, NewTensor] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def record(self, number: int, tensor: StoredTensor) -> TensorRecord:
        """Take up the arrays and differences of a tensor, and return what tells where they are."""
        factors = [
            FactorEntry(
                up=self._array(f"{number}.{each}.up", factor.up),
                down=self._array(f"{number}.{each}.down", factor.down),
                rows=factor.rows,
            )
            for each, factor in enumerate(tensor.factors)
        ]
        return TensorRecord(
            name=tensor.name,
            dtype=tensor.dtype,
            shape=tensor.shape,
            before=tensor.before,
            after=tensor.after,
            factors=tuple(factors),
            forward=self._difference(f"{number}.forward", tensor.forward),
            backward=self._difference(f"{number}.backward", tensor.backward),
        )

    def _array(self, name: str, array: NDArray[np.floating]) -> str:
        known = self.names.setdefault(id(array), name)
        if known == name:
            dtype = "F64" if array.dtype.itemsize == 8 else "F32"
            data = array.astype(FLOATS[dtype]).tobytes()
            self.blobs[name] = NewTensor(name, dtype, array.shape, data)
        return known

    def _difference(self, name: str, difference: Difference) -> DifferenceEntry | None:
        if difference.count:
            data = difference.packed
            self.blobs[name] = NewTensor(name, "U8", (difference.nbytes,), data)
        return DifferenceEntry.of(difference, name)


def _pieces(patch: PatchFile) -> list[bytes | memoryview]:
    """The bytes of the file, those of the widest numbers first."""
    parts = _Parts()
    records = tuple(parts.record(number, each) for number, each in enumerate(patch.tensors))
    headers = tuple(HeaderEntry.model_validate(asdict(each)) for each in patch.headers)
    own = {"surgery.version": __version__, "surgery.base": patch.base}
    manifest = Manifest(tensors=records, headers=headers, records=patch.records).to_json()
    metadata = {FORMAT: VERSION, **own, **patch.metadata, MANIFEST: manifest}
    return pieces(sorted(parts.blobs.values(), key=lambda each: -DTYPE_BITS[each.dtype]), metadata)
