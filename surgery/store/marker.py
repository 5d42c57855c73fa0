"""A hidden link beside a file that is being edited in place; it names the undo file.

It is there from before the first byte changes until after the last one is on the disk, so that a
file which a killed edit left half done is noticed by whoever opens it next. Reads no model.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from surgery.errors import CheckpointError, OutputError
from surgery.store.files import unreadable
from surgery.store.journal import read_state
from surgery.store.sink import reported, sync_folder
from surgery.store.text import visible

_OPEN = "an edit in place of this file is not finished"


def place_markers(paths: Iterable[Path], undo_file: Path) -> None:
    """Say beside `paths` (links followed) that their edit is open, and bring that to the disk.

    The name of the undo file gets there first.

    Raises:
        OutputError: another edit of a file is open, or a folder cannot be written.
    """
    files = tuple(paths)
    folders = dict.fromkeys(path.resolve().parent for path in files)
    if undo_file.parent not in folders:
        sync_folder(undo_file.parent, undo_file)
    for path in files:
        _place(path, undo_file)
    for folder in folders:
        sync_folder(folder, folder)


def _place(path: Path, undo_file: Path) -> None:
    marker = _marker(path)
    with reported(path):
        try:
            marker.symlink_to(undo_file)
        except FileExistsError as error:
            if _named(marker) != undo_file:
                raise _open_edit(path, marker) from error


def remove_markers(paths: Iterable[Path]) -> None:
    """Say that the edit of `paths` is closed.

    A power loss can bring a marker back, which nobody heeds: its undo file says more, and lasts.
    """
    for path in paths:
        with reported(path), suppress(FileNotFoundError):
            _marker(path).unlink()


def check_whole(path: Path) -> None:
    """Raise CheckpointError when an edit in place of `path` was begun and not finished."""
    try:
        marker = _marker(path)
        is_open = marker.is_symlink() and not _is_closed(marker)
    except OSError as error:
        raise unreadable(path, error) from error
    if is_open:
        raise CheckpointError(_OPEN, where=visible(str(path)), hint=_hint(marker))


def drop_closed_marker(path: Path) -> None:
    """Remove a marker that only a power loss can have left: its edit is closed."""
    with reported(path):
        marker = _marker(path)
        is_closed = marker.is_symlink() and _is_closed(marker)
    if is_closed:
        remove_markers([path])


def undo_command(undo_file: Path) -> str:
    """Return the command that puts back what an undo file holds."""
    return f"surgery undo {visible(shlex.quote(str(undo_file)))}"


def _open_edit(path: Path, marker: Path) -> OutputError:
    return OutputError(_OPEN, where=visible(str(path)), hint=_hint(marker))


def _hint(marker: Path) -> str:
    undo_file = _named(marker)
    if not undo_file.exists():
        name, shown = visible(str(undo_file)), visible(str(marker))
        return f"its undo file {name} is gone; if you know the file to be whole, remove {shown}"
    return f"`{undo_command(undo_file)}` puts back what it was, once no process edits it"


def _is_closed(marker: Path) -> bool:
    with suppress(CheckpointError):
        return read_state(_named(marker)) != "unfinished"
    return False


def _named(marker: Path) -> Path:
    return marker.readlink()


def _marker(path: Path) -> Path:
    real = path.resolve()
    # A name of this form is passed over when a model folder is copied.
    digest = sha256(os.fsencode(real.name)).hexdigest()[:16]
    return real.with_name(f".surgery-inplace-{digest}.part")
