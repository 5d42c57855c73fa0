"""Puts back the bytes of an edit in place: `undo`, and the way back of an edit that failed.

Writes only where an undo file has the old bytes, and only when nothing else has changed them since.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from surgery.errors import CheckpointError, OutputError, SurgeryError
from surgery.store.files import close, read_at, stamp
from surgery.store.journal import EditedFile, Journal, State, mark, read_journal
from surgery.store.marker import drop_closed_marker, place_markers, remove_markers, undo_command
from surgery.store.sink import reported
from surgery.store.spans import Tally, sync_data, tally, write_at
from surgery.store.text import visible

Places = Mapping[Path, EditedFile]


@dataclass(frozen=True, slots=True)
class Undone:
    """What was put back.

    Args:
        files: the files of the model that the undo file is about.
        bytes_restored: bytes of the spans that were put back.
        found: whether the edit was there whole, half, or not at all.
    """

    files: tuple[Path, ...]
    bytes_restored: int
    found: Literal["edited", "half edited", "not edited"]


def undo(undo_file: str | Path, model: str | Path | None = None) -> Undone:
    """Put back, bit by bit, what an edit in place replaced.

    Args:
        undo_file: what the edit wrote before it changed anything.
        model: where the model is now; by default where it was.

    Raises:
        CheckpointError: no undo file, a damaged one, or a model that something else has changed.
        OutputError: the model cannot be written, or another process edits it.
    """
    undo_file = Path(undo_file).resolve()
    journal, state = read_journal(undo_file)
    places = _places(journal, model)
    with held(places) as descriptors:
        found = _survey(places, descriptors, state)
        if found.new or found.strange or state == "unfinished":
            _finish(undo_file, places, descriptors)
        for path in places:
            drop_closed_marker(path)
    if not found.new and not found.strange:
        return Undone(tuple(places), 0, "not edited")
    whole = not found.old and not found.strange
    return Undone(tuple(places), journal.nbytes, "edited" if whole else "half edited")


@contextmanager
def held(paths: Iterable[Path]) -> Iterator[dict[Path, int]]:
    """Yield each path's descriptor, open for writing and locked against other edits in place.

    Raises:
        CheckpointError: one is missing or no regular file.
        OutputError: one cannot be written, or another process holds it.
    """
    with ExitStack() as stack:
        descriptors = {}
        for path in paths:
            stamp(path)
            with reported(path):
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
            stack.callback(close, descriptor)
            _lock(descriptor, path)
            descriptors[path] = descriptor
        yield descriptors


def put_back(places: Places, descriptors: Mapping[Path, int]) -> None:
    """Write the old bytes of every span, and bring them to the disk.

    Also where they seem to be there: after a sync that failed, memory does not tell what the disk
    holds.
    """
    for path, file in places.items():
        with reported(path):
            for span in file.spans:
                write_at(descriptors[path], span.start, span.old)
            sync_data(descriptors[path])


def _finish(undo_file: Path, places: Places, descriptors: Mapping[Path, int]) -> None:
    try:
        _restore(undo_file, places, descriptors)
    except BaseException as first:
        # A signal, or a disk that fails once, must not leave it half done: it takes milliseconds.
        try:
            _restore(undo_file, places, descriptors)
        except SurgeryError as error:
            hint = f"`{undo_command(undo_file)}` goes on from here"
            raise type(error)(error.what, where=error.where, hint=hint) from first
        if not isinstance(first, SurgeryError):
            raise


def _restore(undo_file: Path, places: Places, descriptors: Mapping[Path, int]) -> None:
    mark(undo_file, "unfinished")
    place_markers(places, undo_file)
    put_back(places, descriptors)
    mark(undo_file, "undone")
    remove_markers(places)


def _places(journal: Journal, model: str | Path | None) -> dict[Path, EditedFile]:
    if model is None:
        return {file.path(journal.root): file for file in journal.files}
    given = Path(model)
    if given.name.endswith(".json"):
        given = given.parent
    elif not given.is_dir() and len(journal.files) == 1:
        return {given: journal.files[0]}
    return {file.path(given): file for file in journal.files}


def _survey(places: Places, descriptors: Mapping[Path, int], state: State) -> Tally:
    """Count the sectors that are old and new; raise CheckpointError for a file of another state."""
    total = Tally()
    for path, file in places.items():
        descriptor = descriptors[path]
        where = visible(str(path))
        if not _same_header(descriptor, path, file):
            hint = "name the right model with --model"
            raise CheckpointError(
                "this is not the file that the undo file is about", where=where, hint=hint
            )
        found = Tally()
        for span in file.spans:
            found += tally(span, read_at(descriptor, path, span.start, len(span.old)))
        total += found
        # One sector can be half written when a process is killed; more are someone else's work.
        if found.strange > (state == "unfinished") or total.strange > 1:
            count = found.old + found.new + found.strange
            raise CheckpointError(
                f"{found.strange} of {count} edited sectors hold neither the old nor the new bytes",
                where=where,
                hint="something else has changed the file since; nothing was put back",
            )
    return total


def _same_header(descriptor: int, path: Path, file: EditedFile) -> bool:
    with reported(path):
        size = os.fstat(descriptor).st_size
    if size != file.size:
        return False
    raw = read_at(descriptor, path, 0, file.data_start)
    return sha256(raw).hexdigest() == file.header


def _lock(descriptor: int, path: Path) -> None:
    # A file system without locks leaves it to the marker to keep two edits apart.
    with suppress(OSError):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                "another process is editing this file in place",
                where=visible(str(path)),
                hint="wait for it to end",
            ) from error
