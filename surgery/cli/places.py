"""Where a command's own small files may go: found out before any work is done."""

from __future__ import annotations

from pathlib import Path

from surgery.errors import OutputError
from surgery.store.text import visible


def must_be_free(path: Path, force: bool) -> None:
    """Refuse a place where a file could not be written.

    Raises:
        OutputError: something is there already, or the folder is not.
    """
    where = visible(str(path))
    if path.is_dir() or (path.exists() and not force):
        hint = "name a file" if path.is_dir() else "--force replaces it"
        raise OutputError("already there", where=where, hint=hint)
    if not path.absolute().parent.is_dir():
        raise OutputError("its folder does not exist", where=where, hint="make it first")


def write_whole(place: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    partial = place.with_name(f".{place.name}.part")
    try:
        partial.write_bytes(content)
        partial.replace(place)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror}", where=visible(str(place))
        ) from error
    finally:
        partial.unlink(missing_ok=True)
