"""Reads a patch file and trusts nothing in it.

The arrays that come out are finite and fit their tensors, and no difference is inflated before the
model's own tensor has been seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surgery.errors import CheckpointError
from surgery.patches.difference import NOTHING, Difference
from surgery.patches.manifest import (
    FLOATS,
    FORMAT,
    MANIFEST,
    VERSION,
    DifferenceEntry,
    FactorEntry,
    TensorRecord,
    parse,
)
from surgery.patches.stored import Factor, PatchFile, StoredTensor
from surgery.store.checkpoint import TensorRef
from surgery.store.header import TensorEntry, read_header
from surgery.store.text import quoted, visible

_NO_PATCH = "patches come from `apply --save-patch` and `surgery patch make`"


def read_patch(path: str | Path) -> PatchFile:
    """Read and check a patch file.

    Raises:
        CheckpointError: it is none, a newer one, or damaged.
    """
    path = Path(path)
    where = visible(str(path))
    header = read_header(path)
    version = header.metadata.get(FORMAT)
    if version is None or MANIFEST not in header.metadata:
        raise CheckpointError("this is no patch", where=where, hint=_NO_PATCH)
    if version != VERSION:
        problem = f"a patch of format {quoted(version, 20)}; this release reads {VERSION}"
        raise CheckpointError(problem, where=where, hint="a newer surgery may read it")
    manifest = parse(header.metadata[MANIFEST], where)
    kept = _Kept(path, {each.name: each for each in header.entries}, header.data_start)
    provenance = {
        key: text for key, text in header.metadata.items() if key not in {FORMAT, MANIFEST}
    }
    return PatchFile(
        base=provenance.get("surgery.base", ""),
        metadata=provenance if "surgery.recipe" in provenance else {},
        tensors=tuple(kept.tensor(record) for record in manifest.tensors),
        headers=tuple(entry.change() for entry in manifest.headers),
        records=manifest.records,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """The tensors of a file that is read; each array is read once, however often it is named."""

    path: Path
    entries: dict[str, TensorEntry]
    data_start: int
    arrays: dict[str, NDArray[np.floating]] = field(default_factory=dict)

    def tensor(self, record: TensorRecord) -> StoredTensor:
        """Return what a record and its arrays say."""
        return StoredTensor(
            name=record.name,
            dtype=record.dtype,
            shape=record.shape,
            before=record.before,
            after=record.after,
            factors=tuple(self._factor(entry, record.shape) for entry in record.factors),
            forward=self._difference(record.forward),
            backward=self._difference(record.backward),
        )

    def _factor(self, entry: FactorEntry, shape: tuple[int, ...]) -> Factor:
        up, down = self._array(entry.up), self._array(entry.down)
        first, last = entry.rows or (0, shape[0])
        wanted = (last - first, prod(shape[1:]))
        if not 0 <= first <= last <= shape[0] or (len(up), down.shape[1]) != wanted:
            raise self._damaged(entry.up, "does not fit its tensor")
        if up.shape[1] != len(down):
            raise self._damaged(entry.up, "does not fit the other factor")
        return Factor(up, down, entry.rows)

    def _array(self, name: str) -> NDArray[np.floating]:
        if name not in self.arrays:
            ref = self._ref(name)
            if ref.dtype not in FLOATS or len(ref.shape) != 2:
                raise self._damaged(name, "is no factor")
            array = np.frombuffer(ref.read(), FLOATS[ref.dtype]).reshape(ref.shape)
            if not np.isfinite(array).all():
                raise self._damaged(name, "holds NaN or infinite numbers")
            self.arrays[name] = array
        return self.arrays[name]

    def _difference(self, entry: DifferenceEntry | None) -> Difference:
        if entry is None:
            return NOTHING
        ref = self._ref(entry.data)
        if ref.dtype != "U8":
            raise self._damaged(entry.data, "is no packed difference")
        return entry.difference(ref.read())

    def _ref(self, name: str) -> TensorRef:
        if name not in self.entries:
            raise self._damaged(name, "is missing")
        entry = self.entries[name]
        start = self.data_start + entry.begin
        return TensorRef(name, entry.dtype, entry.shape, entry.nbytes, self.path, start)

    def _damaged(self, name: str, problem: str) -> CheckpointError:
        place = f"{visible(str(self.path))}:{visible(name[:200])}"
        return CheckpointError(f"it {problem}", where=place, hint="the patch is damaged")
