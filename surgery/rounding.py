"""A patch rounded once to the stored types, and the figures of what then is stored.

One tensor at a time is read, changed, rounded and measured; what is kept of it are figures. Its new
bytes are kept too while they are few, and made again when they are wanted where they are many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from surgery.edits.delta import Array, Mapped
from surgery.errors import EditError
from surgery.figures import OWN, Meter, SolvedEdit
from surgery.mask_figures import MaskMeter
from surgery.patch import EditRecord, Patch
from surgery.report import Drift, EditedTensor, Leak, SiteFigure
from surgery.scaled import meaning, numbers, stored_bytes
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible

KEPT = 64 * 2**20
"""Bytes of rounded tensors that are kept in memory."""

COARSE = 0.1
"""Share of a change that rounding may take before it is worth a warning."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A patch as it is stored, and the figures of that.

    Args:
        patch: with the figures in its records.
        values: tensor name -> its new bytes.
        by_site: one row for each edited site of each edit.
    """

    patch: Patch
    values: Mapping[str, bytes]
    tensors: tuple[EditedTensor, ...]
    leaks: tuple[Leak, ...]
    drifts: tuple[Drift, ...]
    by_site: tuple[SiteFigure, ...]


@dataclass(slots=True, eq=False)
class Values(Mapping[str, bytes]):
    """The new bytes of every changed tensor, made again where they were not kept."""

    patch: Patch
    checkpoint: Checkpoint
    kept: dict[str, bytes]

    def __getitem__(self, name: str) -> bytes:
        if name in self.kept:
            return self.kept[name]
        wanted = self.patch.value(name, numbers(self.checkpoint, name))
        return _stored(name, wanted, self.checkpoint)

    def __iter__(self) -> Iterator[str]:
        return iter(self.patch.changes)

    def __len__(self) -> int:
        return len(self.patch.changes)


def round_once(patch: Patch, solved: Sequence[SolvedEdit], checkpoint: Checkpoint) -> Result:
    """Round every changed tensor to its stored type, and measure what then is left of the edits.

    Raises:
        EditError: a value overflows the type, or no byte of a tensor changes.
    """
    values = Values(patch, checkpoint, {})
    meters = [_meter(one, _shared(patch, order)) for order, one in enumerate(solved)]
    tensors, room = [], KEPT
    for name in patch.changes:
        steps = _Steps.of(patch, name, checkpoint)
        raw = _stored(name, steps.wanted, checkpoint)
        stored = meaning(checkpoint, name, raw)
        tensors.append(steps.figures(name, checkpoint[name].dtype, stored, patch))
        _check_changed(tensors[-1])
        for order, meter in enumerate(meters):
            _measure(meter, name, steps.found.get(order), stored)
        if (room := room - len(raw)) >= 0:
            values.kept[name] = raw
    leaks = tuple(leak for meter in meters for leak in meter.leaks())
    drifts = tuple(drift for meter in meters for drift in meter.drifts())
    sites = tuple(row for meter in meters for row in meter.by_site())
    told = replace(patch, edits=_records(patch, solved, leaks, drifts))
    return Result(told, values, tuple(tensors), leaks, drifts, sites)


def coarse(tensor: EditedTensor) -> str | None:
    """A sentence where the stored type is too coarse for the change."""
    if tensor.lost <= COARSE:
        return None
    return f"rounding to {tensor.dtype} takes {tensor.lost:.0%} of the change of {tensor.name}"


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """One tensor on its way: as read, as each edit found it, and as all of them leave it."""

    before: Array
    found: Mapping[int, Array]
    wanted: Array

    @classmethod
    def of(cls, patch: Patch, name: str, checkpoint: Checkpoint) -> _Steps:
        before = value = numbers(checkpoint, name)
        found: dict[int, Array] = {}
        for number, after in patch.steps(name, before):
            found.setdefault(number, value)
            value = after
        return cls(before, found, value)

    def figures(self, name: str, dtype: str, stored: Array, patch: Patch) -> EditedTensor:
        """What the edits did to the tensor once it was rounded to its stored type."""
        rank = min(sum(change.delta.rank for change in patch.changes[name]), *self.before.shape)
        wanted = _length(self.wanted - self.before)
        size = _length(self.before)
        lost = _length(stored - self.wanted)
        return EditedTensor(
            name=name,
            dtype=dtype,
            shape=tuple(self.before.shape),
            rank=rank,
            relative_norm=_length(stored - self.before) / size if size else 0.0,
            changed=float(np.mean(stored != self.before)),
            zeroed=int(np.count_nonzero((stored == 0) & (self.before != 0))),
            lost=lost / wanted if wanted else 0.0,
        )


def _length(values: Array) -> float:
    """Frobenius norm, summed in double precision whatever the numbers are."""
    flat = values.ravel()
    return float(np.sqrt(np.einsum("i,i->", flat, flat, dtype=np.float64)))


def _shared(patch: Patch, order: int) -> Mapped | None:
    """The one map that an edit gives to all that it changes; None for an edit of any other sort."""
    every = (change for changes in patch.changes.values() for change in changes)
    own = [change.delta for change in every if change.edit == order]
    shared = own[0] if own else None
    return shared if isinstance(shared, Mapped) and all(one is shared for one in own) else None


def _meter(solved: SolvedEdit, shared: Mapped | None) -> Meter | MaskMeter:
    kind = MaskMeter if solved.edit.states == "scores" else Meter
    return kind(solved, shared)


def _measure(meter: Meter | MaskMeter, name: str, found: Array | None, stored: Array) -> None:
    if found is None:
        return
    for site in meter.solved.sites:
        if site.tensor == name:
            first, last = site.rows or (None, None)
            meter.add(site, found[first:last], stored[first:last])


def _stored(name: str, wanted: Array, checkpoint: Checkpoint) -> bytes:
    try:
        return stored_bytes(checkpoint, name, wanted)
    except EditError as error:
        raise EditError(error.what, where=visible(name), hint=error.hint) from error


def _check_changed(tensor: EditedTensor) -> None:
    if not tensor.changed:
        raise EditError(
            f"the edit is below the resolution of {tensor.dtype} and changes no byte",
            where=visible(tensor.name),
            hint="raise its strength, or set it to 0 for a plain copy",
        )


def _records(
    patch: Patch, solved: Sequence[SolvedEdit], leaks: Sequence[Leak], drifts: Sequence[Drift]
) -> tuple[EditRecord, ...]:
    """The records with their figures; those of a patch that was not solved here stay."""
    if not solved:
        return patch.edits
    told = []
    for record, one in zip(patch.edits, solved, strict=True):
        own = [leak for leak in leaks if leak.edit == one.number and leak.wording in OWN]
        far = [drift for drift in drifts if drift.edit == one.number and drift.group == "neutral"]
        left = max((leak.figure.max for leak in own), default=None)
        moved = max((drift.figure.p95 for drift in far), default=None)
        told.append(replace(record, leak=left, drift=moved))
    return tuple(told)
