"""Blocks that a new file shares with its source, where the file system can: XFS, btrfs, bcachefs.

Moves no byte: a shared block lies on the disk once, until one of its files writes to it. Only whole
blocks can be shared, at a place that differs by whole blocks; the rest is `sink`'s to copy.
Source: ioctl_ficlonerange(2).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import NamedTuple

from surgery.errors import CheckpointError
from surgery.store.files import close, opened

# What XFS and btrfs have unless they were told otherwise; where it is more, bytes are copied.
BLOCK = 4096
_FICLONERANGE: int = getattr(fcntl, "FICLONERANGE", 0x4020940D)
_CANNOT = frozenset(
    {
        errno.EOPNOTSUPP,
        errno.EINVAL,
        errno.EXDEV,
        errno.ENOTTY,
        errno.EPERM,
        errno.ENOSYS,
        errno.ETXTBSY,
    }
)


class Tail(NamedTuple):
    """The last `nbytes` bytes of a source, from `start` on, and where they lie in the new file."""

    start: int
    nbytes: int
    at: int


def shareable(start: int, size: int, at: int) -> Tail | None:
    """Return what can be shared of a source's bytes from `start` to its end, or None.

    Args:
        start: the first byte wanted; what lies between it and the result has to be copied.
        size: bytes of the source. Its last block may be cut short, since both files end there.
        at: where `start` lies in the new file.
    """
    skipped = -start % BLOCK
    if (at - start) % BLOCK or start + skipped >= size:
        return None
    return Tail(start + skipped, size - start - skipped, at + skipped)


def can_share(source: Path, folder: Path) -> bool:
    """Return whether a new file in `folder` could share blocks with `source`.

    No system says so before: it is tried with one block, in a file without a name.
    """
    nameless: int | None = getattr(os, "O_TMPFILE", None)
    if nameless is None:
        return False
    try:
        with opened(source) as taken:
            block = Tail(0, min(BLOCK, os.fstat(taken).st_size), 0)
            descriptor = os.open(folder, nameless | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                return share(taken, descriptor, block)
            finally:
                close(descriptor)
    except (OSError, CheckpointError):
        return False


def share(source: int, target: int, tail: Tail) -> bool:
    """Let the open file `target` end with the tail of `source`; False where the system cannot.

    Raises:
        OSError: it could, and failed.
    """
    wanted = struct.pack("qQQQ", source, tail.start, tail.nbytes, tail.at)
    try:
        fcntl.ioctl(target, _FICLONERANGE, wanted)
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return True
