"""Opening and reading input files: regular files only, by pread, never by mmap. Nothing is written.

A file that shrinks under an mmap kills the process with SIGBUS; under pread it is a clean error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from surgery.errors import CheckpointError
from surgery.store.text import quoted, size, visible


class Stamp(NamedTuple):
    """What tells that a file is still the one that was opened: device, inode, bytes, time."""

    device: int
    inode: int
    size: int
    mtime_ns: int


def stamp(path: Path) -> Stamp:
    """Return the stamp of a regular file, links followed, without opening it.

    Raises:
        CheckpointError: missing, unreadable, or a pipe, device, socket or folder.
    """
    try:
        info = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return _stamp_of(info, path)


def check_unchanged(path: Path, before: Stamp) -> None:
    """Raise CheckpointError unless `path` is still the file that `before` was taken of."""
    if stamp(path) != before:
        raise CheckpointError(
            "the file changed while it was being read",
            where=visible(str(path)),
            hint="run again when nothing else writes it",
        )


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Yield a read-only descriptor of a regular file; a pipe is refused, never waited for."""
    stamp(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        try:
            info = os.fstat(descriptor)
        except OSError as error:
            raise unreadable(path, error) from error
        _stamp_of(info, path)
        yield descriptor
    finally:
        close(descriptor)


def close(descriptor: int) -> None:
    """Close a descriptor; what had to be on the disk was synced before, so no error can matter."""
    with suppress(OSError):
        os.close(descriptor)


def read_into(descriptor: int, buffer: memoryview, offset: int, path: Path) -> int:
    """Fill `buffer` from `offset` on and return the bytes read, at least one.

    Raises:
        CheckpointError: the file ends here, or the disk fails.
    """
    try:
        count = os.preadv(descriptor, [buffer], offset)
    except OSError as error:
        raise unreadable(path, error) from error
    if count == 0:
        raise _too_short(path, offset, len(buffer))
    return count


def read_span(path: Path, start: int, count: int) -> bytes:
    """Return exactly `count` bytes of a regular file from `start` on."""
    return read_spans(path, [start], count)[0]


def read_spans(path: Path, starts: Iterable[int], count: int) -> list[bytes]:
    """Return exactly `count` bytes from each start on, from one opening of the file."""
    with opened(path) as descriptor:
        return [read_at(descriptor, path, start, count) for start in starts]


def read_at(descriptor: int, path: Path, start: int, count: int) -> bytes:
    """Return exactly `count` bytes of an open file; `path` names it in errors."""
    pieces: list[bytes] = []
    while count:
        try:
            piece = os.pread(descriptor, count, start)
        except OSError as error:
            raise unreadable(path, error) from error
        if not piece:
            raise _too_short(path, start, count)
        pieces.append(piece)
        start, count = start + len(piece), count - len(piece)
    # Nearly always one piece, and then nothing is copied.
    return b"".join(pieces)


def _too_short(path: Path, end: int, missing: int) -> CheckpointError:
    return CheckpointError(
        f"the file ends at byte {end}, {missing} bytes too early",
        where=visible(str(path)),
        hint="it was cut short while it was being read",
    )


def read_all(path: Path, limit: int) -> bytes:
    """Return a whole regular file of at most `limit` bytes."""
    total = stamp(path).size
    if total > limit:
        raise CheckpointError(
            f"the file has {size(total)}, more than the {size(limit)} expected at most",
            where=visible(str(path)),
        )
    return read_span(path, 0, total)


def is_plain_name(name: str) -> bool:
    """Return whether `name` can only mean an entry of one folder, never a way out of it."""
    return name not in {"", ".", ".."} and not any(char in name for char in "/\\\0")


def unreadable(path: Path, error: OSError) -> CheckpointError:
    """Return the error that says why `path` cannot be read."""
    reason = error.strerror or type(error).__name__
    return CheckpointError(f"cannot be read: {reason}", where=visible(str(path)))


def _stamp_of(info: os.stat_result, path: Path) -> Stamp:
    if not stat.S_ISREG(info.st_mode):
        raise CheckpointError(
            f"{quoted(path.name)} is {_kind(info.st_mode)}, not a regular file",
            where=visible(str(path)),
            hint="give a safetensors file or a model folder",
        )
    return Stamp(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
