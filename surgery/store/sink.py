"""Bytes into one new file, front to back: given, shared with a source or copied. Decodes nothing.

How bytes get there is decided here and nowhere else: blocks are shared where the file system can
(`clone`), else read and written. Pieces end on multiples of their size in the *destination*, after
a fallocate: the fastest of all ways measured on ext4 (4.27 GB warm: 1.17 s, `cp` 1.54 s, `splice`
6.8 s). The disk begins meanwhile (`early`): 1.85 s with fsync that way, 2.49 s without.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import disk_usage
from typing import Self

from surgery.errors import OutputError, ResourceError
from surgery.store.clone import share, shareable
from surgery.store.digest import Digest
from surgery.store.early import EarlyWriting
from surgery.store.files import close, read_into
from surgery.store.text import size, visible

PIECE = 256 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_FALLOCATE = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


@contextmanager
def reported(path: Path, needed: int = 0) -> Iterator[None]:
    """Turn an OSError of writing `path` into ResourceError (no space) or OutputError.

    Args:
        path: what the user is told could not be written.
        needed: bytes the write needs, for the message.
    """
    try:
        yield
    except OSError as error:
        where, reason = visible(str(path)), error.strerror or type(error).__name__
        if error.errno in _FULL:
            raise ResourceError(
                f"no room: {reason}; {size(needed)} are needed, {size(_free(path))} are free",
                where=where,
                hint="make room or write elsewhere",
            ) from error
        raise OutputError(f"cannot be written: {reason}", where=where) from error


class Sink:
    """A new file being written, as a context. Its errors name `shown`, the place asked for.

    Args:
        descriptor: open for writing; its owner closes it.
        shown: the output that errors are about.
        on_bytes: called with the number of bytes after every piece.
        digest: is given every byte; what is shared with a source is read for it.
    """

    def __init__(
        self,
        descriptor: int,
        shown: Path,
        on_bytes: Callable[[int], None] | None = None,
        digest: Digest | None = None,
    ) -> None:
        self._descriptor, self._shown, self._on_bytes = descriptor, shown, on_bytes
        self._digest = digest
        self._buffer = memoryview(bytearray(PIECE))
        self._total = 0
        self._early = EarlyWriting(descriptor)
        self._shared_from: int | None = None
        self.position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._early.stop()

    def reserve(self, total: int) -> None:
        """Take `total` bytes on the disk now, so that a full disk is known before the first one."""
        self._total = total
        if not total or not hasattr(os, "posix_fallocate"):
            return
        with reported(self._shown, total):
            try:
                os.posix_fallocate(self._descriptor, 0, total)
            except OSError as error:
                if error.errno not in _NO_FALLOCATE:
                    raise

    def share(self, source: int, start: int, end: int, at: int) -> bool:
        """Let the file end, from `at` on, with the bytes of `source` from `start` to its `end`.

        What is later copied from that place costs nothing; what is given replaces it. Returns False
        where the system cannot, and nothing has happened then.
        """
        tail = shareable(start, end, at)
        with reported(self._shown, at + end - start):
            if tail is None or not share(source, self._descriptor, tail):
                return False
        self._total, self._shared_from = at + end - start, tail.at
        return True

    def write(self, data: bytes | memoryview) -> None:
        """Append `data`."""
        with memoryview(data) as view:
            done = 0
            while done < len(view):
                piece = view[done : done + self._room()]
                self._put(piece)
                done += len(piece)

    def copy(self, source: int, path: Path, start: int, count: int) -> None:
        """Append `count` bytes of the open file `source`, called `path` in errors, from `start`.

        Raises:
            CheckpointError: the source ends too early or cannot be read.
        """
        end = stop = start + count
        if self._shared_from is not None:
            stop = min(end, start + max(0, self._shared_from - self.position))
        for piece in self._read(source, path, start, stop):
            self._put(piece)
        if self._digest:
            for piece in self._read(source, path, stop, end):
                self._digest.add(piece)
        self._advance(end - stop)

    def finish(self) -> None:
        """Bring every byte to the disk."""
        self._early.stop()
        with reported(self._shown, self._total):
            os.fsync(self._descriptor)

    def _read(self, source: int, path: Path, start: int, stop: int) -> Iterator[memoryview]:
        while start < stop:
            piece = self._buffer[: min(self._room(), stop - start)]
            got = read_into(source, piece, start, path)
            yield piece[:got]
            start += got

    def _room(self) -> int:
        return PIECE - self.position % PIECE

    def _put(self, piece: memoryview) -> None:
        done = 0
        with reported(self._shown, self._total):
            while done < len(piece):
                done += os.pwrite(self._descriptor, piece[done:], self.position + done)
        if self._digest:
            self._digest.add(piece)
        self._advance(done)

    def _advance(self, count: int) -> None:
        if not count:
            return
        self.position += count
        self._early.reached(self.position)
        if self._on_bytes:
            self._on_bytes(count)


def sync_folder(folder: Path, shown: Path) -> None:
    """Bring a folder's entries to the disk, so that a new name outlives a power loss."""
    with reported(shown):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            close(descriptor)


def _free(path: Path) -> int:
    with suppress(OSError):
        return disk_usage(path.parent).free
    return 0
