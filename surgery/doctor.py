"""doctor: is a checkpoint sound? Reads every tensor once, a few megabytes at a time.

Counts what is not finite, checks stored hashes and position ids; what headers, names and side files
tell is in `symptoms`. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np

from surgery.errors import CheckpointError
from surgery.numerics.finite import all_zero, not_finite
from surgery.numerics.tensors import WORD_BYTES, decode
from surgery.report import Report
from surgery.store.address import locate, on_hub
from surgery.store.checkpoint import Checkpoint, TensorRef, open_checkpoint
from surgery.store.files import read_span
from surgery.symptoms import Finding, symptoms

PIECE = 8 << 20
"""Bytes that are held at a time; a multiple of every word size."""
_IDS = "position_ids"
_MOST_IDS = 1 << 20
_INTEGERS = {"I64": "<i8", "I32": "<i4", "I16": "<i2", "U8": "u1"}

Progress = Callable[[int], None]
Watch = Callable[[int], Progress]


@dataclass(frozen=True, slots=True)
class DoctorReport(Report):
    """What is wrong with a checkpoint, and what to do about each.

    Args:
        tensors: how many were read.
        nbytes: how much was read.
        findings: broken things first.
    """

    kind: ClassVar[str] = "doctor"

    address: str
    tensors: int
    nbytes: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is broken; notes do not count."""
        return not any(finding.severity == "broken" for finding in self.findings)


def doctor(
    address: str | Path, *, allow_pickle: bool = False, watch: Watch | None = None
) -> DoctorReport:
    """Examine the checkpoint at an address.

    Args:
        allow_pickle: convert weights that are pickles; see `open_checkpoint`.
        watch: called with the bytes there are to read; what it returns, with those just read.

    Raises:
        CheckpointError: nothing is there.
        HubError: a place on the Hub that cannot be read.
    """
    if on_hub(address) is None:
        locate(address)
    try:
        here = open_checkpoint(address, allow_pickle=allow_pickle).here()
        total = sum(ref.nbytes for ref in here.values())
        report = examine(here, progress=watch(total) if watch else None)
    except CheckpointError as error:
        remedy = error.hint or "get the file again"
        found = Finding("opening", "broken", error.where or str(address), error.what, remedy)
        return DoctorReport(str(address), 0, 0, (found,))
    return replace(report, address=str(address))


def examine(checkpoint: Checkpoint, *, progress: Progress | None = None) -> DoctorReport:
    """Examine an open checkpoint; `progress` is called with the number of bytes just read."""
    told = progress or (lambda _: None)
    found = [*symptoms(checkpoint)]
    for ref in checkpoint.values():
        found.extend(_numbers(ref, told))
        if ref.name.endswith(_IDS):
            found.extend(_position_ids(ref))
    found.extend(_hashes(checkpoint))
    return DoctorReport(
        address=checkpoint.address,
        tensors=len(checkpoint),
        nbytes=sum(ref.nbytes for ref in checkpoint.values()),
        findings=tuple(sorted(found, key=lambda finding: finding.severity)),
    )


def _numbers(ref: TensorRef, told: Progress) -> Iterator[Finding]:
    nan, infinite, zero = 0, 0, ref.nbytes > 0
    for start in range(0, ref.nbytes, PIECE):
        raw = ref.span(ref.start + start, min(PIECE, ref.nbytes - start))
        more_nan, more_infinite = not_finite(raw, ref.dtype)
        nan, infinite, zero = nan + more_nan, infinite + more_infinite, zero and all_zero(raw)
        told(len(raw))
    if nan or infinite:
        what = f"{nan:,} NaN and {infinite:,} infinite numbers"
        remedy = "pictures of this model are black or noise; get it again or from another source"
        yield Finding("numbers", "broken", ref.name, what, remedy)
    if zero and len(ref.shape) > 1 and not ref.name.endswith(_IDS):
        remedy = "meant in adapters that begin at nothing; elsewhere the weights are lost"
        yield Finding("zeros", "note", ref.name, "every number is zero", remedy)


def _position_ids(ref: TensorRef) -> Iterator[Finding]:
    remedy = "save it again as I64 holding 0, 1, 2, ...; some programs read it as it is"
    if ref.dtype not in _INTEGERS:
        what = f"position ids stored as {ref.dtype}, not as whole numbers"
        if ref.dtype in WORD_BYTES and not _in_order(ref):
            what += ", and out of order"
        yield Finding("position ids", "broken", ref.name, what, remedy)
    elif not _in_order(ref):
        what = "position ids are not 0, 1, 2, ..."
        yield Finding("position ids", "broken", ref.name, what, remedy)


def _in_order(ref: TensorRef) -> bool:
    if ref.nbytes > _MOST_IDS:
        return False
    raw = ref.read()
    if ref.dtype in _INTEGERS:
        whole = np.frombuffer(raw, _INTEGERS[ref.dtype])
        return bool(np.array_equal(whole, np.arange(len(whole))))
    numbers = decode(raw, ref.dtype, (ref.nbytes // WORD_BYTES[ref.dtype],))
    return bool(np.array_equal(numbers, np.arange(len(numbers))))


def _hashes(checkpoint: Checkpoint) -> Iterator[Finding]:
    """The hash of all bytes after the header, which an edit by other tools leaves stale.

    Source: ModelSpec 1.0.0, `hash_sha256`; sd-scripts, `sshs_model_hash`.
    """
    for name, header in checkpoint.headers.items():
        stated = {
            key: header.metadata[key].lower().removeprefix("0x")
            for key in ("modelspec.hash_sha256", "sshs_model_hash")
            if key in header.metadata
        }
        if not stated:
            continue
        edited = any(key.startswith("surgery.") for key in header.metadata)
        size = checkpoint.stamps[name].size
        real = _digest(checkpoint.path(name), header.data_start, size)
        yield from (_stale(name, *item, real, edited) for item in stated.items() if item[1] != real)


def _stale(file: str, key: str, value: str, real: str, edited: bool) -> Finding:
    what = f"{key} is {value[:12]}..., the data have {real[:12]}..."
    if edited:
        remedy = "it is that of the model before the edit which the surgery.* keys record"
        return Finding("hash", "note", file, what, remedy)
    remedy = "the data changed after it was written: compare sources, or drop the key"
    return Finding("hash", "broken", file, what, remedy)


def _digest(path: Path, start: int, end: int) -> str:
    digest = sha256()
    for at in range(start, end, PIECE):
        digest.update(read_span(path, at, min(PIECE, end - at)))
    return digest.hexdigest()
