"""Applies a patch file to a copy of its model, and takes it back. Returns a report, prints nothing.

Where the header of a weight file is the recorded one, the output is the recorded one too, byte for
byte; elsewhere the tensors are exact and only `surgery.*` keys of the header come or go.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.patches.base import Direction, check_structure, check_values
from surgery.patches.difference import check
from surgery.patches.headers import changed_files, with_change
from surgery.patches.rebuild import patched, restored
from surgery.patches.report import PatchReport
from surgery.patches.stored import PatchFile, StoredTensor
from surgery.report import Record
from surgery.store.changes import MakeRecord
from surgery.store.checkpoint import Checkpoint
from surgery.store.header import Header, with_metadata, without_metadata
from surgery.store.preflight import check_copy
from surgery.store.text import visible
from surgery.store.writer import write


@dataclass(frozen=True, slots=True)
class How:
    """How an output is written.

    Args:
        force: replace an output that is there; never an input.
        link: give unchanged files of a folder a second name instead of a copy.
        on_bytes: called with the number of bytes just written.
        bring: makes of a model on the Hub one on this machine.
    """

    force: bool = False
    link: bool = False
    on_bytes: Callable[[int], None] | None = None
    bring: Callable[[Checkpoint], Checkpoint] = Checkpoint.here


def apply_patch(
    patch: PatchFile, checkpoint: Checkpoint, out: str | Path | None, how: How = How()
) -> PatchReport:
    """Write the patched copy of a model.

    Args:
        out: where to write; None checks everything and writes nothing.

    Raises:
        CheckpointError: the model is not the one that the patch is for, or the patch is damaged.
        SurgeryError: as `write` raises.
    """
    return _use(patch, checkpoint, out, ("apply", how))


def undo_patch(
    patch: PatchFile, checkpoint: Checkpoint, out: str | Path | None, how: How = How()
) -> PatchReport:
    """Write the model from before the patch; as `apply_patch` otherwise."""
    return _use(patch, checkpoint, out, ("undo", how))


def _use(
    patch: PatchFile,
    checkpoint: Checkpoint,
    out: str | Path | None,
    do: tuple[Direction, How],
) -> PatchReport:
    began = time.perf_counter()
    direction, how = do
    check_structure(patch, checkpoint)
    found = checkpoint.record() or ""
    if out is not None:
        names = [each.name for each in patch.changed]
        check_copy(checkpoint, Path(out), names, force=how.force, link=how.link)
        checkpoint = how.bring(checkpoint)
    check_values(patch, checkpoint, direction)
    heads, exact = _heads(patch, checkpoint, direction)
    written = None
    changes = {each.name: partial(_value, each, checkpoint, direction) for each in patch.changed}
    if out is None:
        for value in changes.values():
            value()
    else:
        written = write(
            checkpoint,
            changes,
            out,
            metadata={},
            heads=heads,
            record=_record(patch, found, direction),
            force=how.force,
            link=how.link,
            on_bytes=how.on_bytes,
        )
    return replace(
        PatchReport.of(patch, direction, checkpoint.address),
        exact=exact,
        out=str(written.path) if written else None,
        bytes_written=written.bytes_written if written else 0,
        linked=written.linked if written else 0,
        seconds=round(time.perf_counter() - began, 4),
    )


def _record(patch: PatchFile, found: str, direction: Direction) -> MakeRecord | None:
    """What makes the record of the output; None where the one that is there stays.

    Args:
        found: the record that the model has, "" for none.
    """
    before, after = patch.records
    source, target = (before, after) if direction == "apply" else (after, before)
    if source == target or (found != source and direction == "undo"):
        return None
    if found != source and (record := Record.parsed(target)):
        # The edit is one more of another model that was edited before.
        target = replace(record, earlier=()).after(Record.parsed(found)).text()
    return lambda: target or None


def _value(tensor: StoredTensor, checkpoint: Checkpoint, direction: Direction) -> bytes:
    make, wanted = (patched, tensor.after) if direction == "apply" else (restored, tensor.before)
    raw = checkpoint[tensor.name].read()
    # Nobody should find out that the way back is damaged once the base is gone.
    check(tensor.backward, len(raw), tensor.word)
    value = make(tensor, checkpoint, raw)
    if sha256(value).hexdigest() != wanted:
        raise CheckpointError(
            "the patch does not give the value that it promises",
            where=visible(tensor.name),
            hint="the patch is damaged; nothing was written",
        )
    return value


def _heads(
    patch: PatchFile, checkpoint: Checkpoint, direction: Direction
) -> tuple[dict[str, bytes], bool]:
    """The new headers of the changed files, and whether each is the recorded one."""
    recorded = {change.file: change for change in patch.headers}
    # The records of an archive are written anew, with other dates than another maker's.
    heads, exact = {}, direction == "apply" or checkpoint.kind != "dduf"
    for name in changed_files(checkpoint, {each.name: None for each in patch.changed}):
        header = checkpoint.headers[name]
        change = recorded.get("" if checkpoint.kind == "file" else name)
        head = with_change(change, header.raw, back=direction == "undo") if change else None
        if head is None:
            head, exact = _likely(patch, header, direction), False
        heads[name] = head
    return heads, exact


def _likely(patch: PatchFile, header: Header, direction: Direction) -> bytes:
    if direction == "apply":
        return with_metadata(header, patch.metadata)
    return without_metadata(header, patch.metadata)
