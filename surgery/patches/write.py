"""Writes a patch as a safetensors file: arrays and differences as tensors, the rest as metadata."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surgery.errors import CheckpointError, OutputError
from surgery.patch import own_version
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
from surgery.store.header import TensorEntry, build_header, read_header
from surgery.store.publish import exists, keep_rights, publish
from surgery.store.sink import Sink, reported
from surgery.store.staging import remove_litter, staged_file
from surgery.store.text import visible


def check_place(path: str | Path, *, force: bool) -> Path:
    """Return the real place of a patch that is to be written.

    Raises:
        OutputError: something is there, and without `force` or no patch; or its folder is missing.
    """
    with reported(Path(path)):
        target = Path(path).resolve()
        if not target.parent.is_dir():
            problem = f"the folder {visible(str(target.parent))} does not exist"
            raise OutputError(problem, where=visible(str(target)), hint="make it first")
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
        hint = "remove it yourself if it may go"
        raise OutputError("what is there is no patch", where=visible(str(target)), hint=hint)
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
    pieces = _pieces(patch)
    total = sum(map(len, pieces))
    with reported(target):
        remove_litter(target)
    with staged_file(target) as (descriptor, staged):
        sink = Sink(descriptor, target)
        sink.reserve(total)
        for piece in pieces:
            sink.write(piece)
        sink.finish()
        if force:
            keep_rights(descriptor, target)
        publish(staged, target, force=force)
    return total


@dataclass(frozen=True, slots=True)
class _Blob:
    """One tensor of the file being made."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Parts:
    """The tensors of the file being made: a shared array becomes one of them."""

    blobs: dict[str, _Blob] = field(default_factory=dict)
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
            self.blobs[name] = _Blob(dtype, array.shape, array.astype(FLOATS[dtype]).tobytes())
        return known

    def _difference(self, name: str, difference: Difference) -> DifferenceEntry | None:
        if difference.count:
            self.blobs[name] = _Blob("U8", (difference.nbytes,), difference.packed)
        return DifferenceEntry.of(difference, name)


def _pieces(patch: PatchFile) -> list[bytes]:
    """The bytes of the file: the header, then the widest numbers first, so that all are aligned."""
    parts = _Parts()
    records = tuple(parts.record(number, each) for number, each in enumerate(patch.tensors))
    headers = tuple(HeaderEntry.model_validate(asdict(each)) for each in patch.headers)
    own = {"surgery.version": own_version(), "surgery.base": patch.base}
    manifest = Manifest(tensors=records, headers=headers).to_json()
    metadata = {FORMAT: VERSION, **own, **patch.metadata, MANIFEST: manifest}
    blobs = sorted(parts.blobs.items(), key=lambda item: ("F64", "F32", "U8").index(item[1].dtype))
    entries, at = [], 0
    for name, blob in blobs:
        entries.append(TensorEntry(name, blob.dtype, blob.shape, at, at + len(blob.data)))
        at += len(blob.data)
    return [build_header(entries, metadata), *(blob.data for _, blob in blobs)]
