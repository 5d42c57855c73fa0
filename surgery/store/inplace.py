"""Edits tensors inside a model's own file, in time proportional to the edit, with a way back.

The undo file is on the disk before the first byte changes, and a marker beside the model says that
the edit is open until the last one is; a failure or a signal puts the old bytes back. Headers, and
so metadata, are never changed here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from surgery.errors import CheckpointError, EditError, OutputError, SurgeryError
from surgery.store.address import ATELIER
from surgery.store.contents import Checkpoint
from surgery.store.files import check_unchanged, stamp
from surgery.store.journal import EditedFile, Journal, mark, read_journal, read_state, write_journal
from surgery.store.marker import (
    check_whole,
    drop_closed_marker,
    place_markers,
    remove_markers,
    undo_command,
)
from surgery.store.preflight import check_output, check_space
from surgery.store.restore import Places, held, put_back
from surgery.store.sink import reported, sync_folder
from surgery.store.spans import Span, differing, sync_data, write_at
from surgery.store.staging import remove_litter
from surgery.store.text import visible

_KINDS = frozenset({"file", "sharded", "folder"})
_CACHE = ("models--", "datasets--", "spaces--")
_COPY = "write a copy with -o instead"

_News = Mapping[Path, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Edited:
    """What was edited in place; `undo_file` is None when no byte differed, and nothing was done."""

    undo_file: Path | None
    bytes_changed: int
    files: tuple[Path, ...]


def check_in_place(
    checkpoint: Checkpoint, changes: Iterable[str], undo_file: str | Path, *, force: bool = False
) -> Path:
    """Return the real place of the undo file when these tensors may be edited where they lie.

    Args:
        changes: names of the tensors.
        force: edit a file although it has other names (hard links), which change with it.

    Raises:
        OutputError: a file that others share or that is read-only, or a place where the undo file
            cannot be written.
        CheckpointError: an earlier edit in place of the file was not finished.
    """
    where = visible(checkpoint.address)
    if checkpoint.is_remote:
        raise OutputError("a model on the Hub cannot be edited in place", where=where, hint=_COPY)
    if checkpoint.kind not in _KINDS or checkpoint.origins:
        kind = "pickle" if checkpoint.origins else checkpoint.kind
        problem = f"a model of kind {kind} cannot be edited in place"
        raise OutputError(problem, where=where, hint=_COPY)
    for path in _touched(checkpoint, changes):
        check_whole(path)
        _check_file(path, force=force)
    return _check_undo_file(checkpoint, Path(undo_file))


def edit_in_place(
    checkpoint: Checkpoint,
    changes: Mapping[str, bytes],
    undo_file: str | Path,
    *,
    force: bool = False,
) -> Edited:
    """Replace the bytes of some tensors inside the model's own files.

    Args:
        checkpoint: the model; what it says of its files' times is out of date afterwards.
        changes: tensor name -> its new bytes, of the old length.
        undo_file: a new file that `undo` can later put the old bytes back from.
        force: see `check_in_place`.

    Raises:
        EditError: a change of another length.
        OutputError: see `check_in_place`; or a write failed, and the old bytes are back.
        ResourceError: too little room for the undo file.
        CheckpointError: a file changed since the model was opened.
    """
    target = check_in_place(checkpoint, changes, undo_file, force=force)
    journal, news = _journal(checkpoint, changes)
    if not journal.files:
        return Edited(None, 0, ())
    check_space(target, journal.stored_bytes)
    with reported(target):
        remove_litter(target)
    places = {file.path(journal.root): file for file in journal.files}
    with held(places) as descriptors:
        for path, file in places.items():
            check_unchanged(path, checkpoint.stamps[file.name or next(iter(checkpoint.headers))])
            drop_closed_marker(path)
        try:
            _edit(target, journal, places, (descriptors, news))
        except BaseException:
            _take_back(target, journal, places, descriptors)
            raise
    return Edited(target, journal.nbytes, tuple(places))


def _edit(
    target: Path, journal: Journal, places: Places, do: tuple[Mapping[Path, int], _News]
) -> None:
    descriptors, news = do
    write_journal(target, journal)
    place_markers(places, target)
    for path, file in places.items():
        with reported(path):
            for span, new in zip(file.spans, news[path], strict=True):
                write_at(descriptors[path], span.start, new)
            sync_data(descriptors[path])
    mark(target, "done")
    remove_markers(places)


def _take_back(
    target: Path, journal: Journal, places: Places, descriptors: Mapping[Path, int]
) -> None:
    """Put everything back as it was before the edit: the files, the markers, the undo file."""
    if not _is_ours(target, journal):
        return
    try:
        put_back(places, descriptors)
    except SurgeryError as error:
        raise type(error)(
            f"the edit failed and cannot be taken back now ({error.what})",
            where=error.where,
            hint=f"mend the disk, then run `{undo_command(target)}`",
        ) from error
    remove_markers(places)
    # A marker that came back after a power loss would need the undo file.
    for folder in {path.resolve().parent for path in places}:
        sync_folder(folder, target)
    with reported(target):
        target.unlink()
    sync_folder(target.parent, target)


def _is_ours(target: Path, journal: Journal) -> bool:
    """Whether the undo file was published: before that, nothing of the model can have changed."""
    with suppress(CheckpointError):
        return read_journal(target)[0] == journal
    return False


def _journal(checkpoint: Checkpoint, changes: Mapping[str, bytes]) -> tuple[Journal, _News]:
    spans: dict[Path, list[tuple[Span, bytes]]] = {}
    for name, new in sorted(changes.items(), key=lambda item: checkpoint[item[0]].start):
        ref = checkpoint[name]
        if len(new) != ref.nbytes:
            raise EditError(
                f"the new value has {len(new)} bytes, the old one {ref.nbytes}",
                where=f"{visible(str(ref.file))}:{visible(name)}",
                hint="an edit must keep shape and dtype",
            )
        spans.setdefault(ref.file, []).extend(differing(ref.start, ref.read(), new))
    root = _absolute(checkpoint.root)
    files, news = [], {}
    for name, header in checkpoint.headers.items():
        if found := spans.get(checkpoint.path(name)):
            digest, size = sha256(header.raw).hexdigest(), checkpoint.stamps[name].size
            relative = "" if checkpoint.kind == "file" else name
            own = tuple(span for span, _ in found)
            files.append(EditedFile(relative, size, digest, header.data_start, own))
            news[files[-1].path(root)] = tuple(new for _, new in found)
    return Journal(root, tuple(files)), news


def _absolute(path: Path) -> Path:
    # The path as the user wrote it may hold a link: the undo file names what was really edited.
    return path.resolve()


def _touched(checkpoint: Checkpoint, changes: Iterable[str]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(checkpoint[name].file for name in changes))


def _check_file(path: Path, *, force: bool) -> None:
    stamp(path)
    with reported(path):
        real = path.resolve()
        info = real.stat()
    problem = hint = ""
    if real.is_relative_to(ATELIER.resolve()):
        problem, hint = "the built-in model is never edited in place", _COPY
    elif any(folder.name.startswith(_CACHE) for folder in real.parents):
        problem = "the file lies in the Hub's cache, which other programs share"
        hint = _COPY
    elif not stat.S_IMODE(info.st_mode) & 0o222 or not os.access(real, os.W_OK):
        problem, hint = "the file is read-only", f"make it writable, or {_COPY}"
    elif info.st_nlink > 1 and not force:
        problem = f"the file has {info.st_nlink} names (hard links), and all would change"
        hint = f"{_COPY}, or use --force"
    if problem:
        raise OutputError(problem, where=visible(str(path)), hint=hint)


def _check_undo_file(checkpoint: Checkpoint, undo_file: Path) -> Path:
    try:
        with reported(undo_file):
            return check_output(checkpoint, undo_file, force=False)
    except OutputError as error:
        with suppress(CheckpointError):
            state = read_state(undo_file)
            hint = {
                "unfinished": f"`{undo_command(undo_file)}` ends what was begun",
                "done": "it can undo an earlier edit: choose another name",
                "undone": "it has been used: remove it, or choose another name",
            }[state]
            raise OutputError(error.what, where=error.where, hint=hint) from error
        raise
