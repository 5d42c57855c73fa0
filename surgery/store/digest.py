"""Digests of files, taken from the very bytes that are written, and who looks on meanwhile.

xxh3 is so quick that it is taken between two pieces. SHA-256 takes longer than the writing itself
and goes to a thread of its own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from typing import Literal, Protocol, cast

from surgery.errors import UsageError

Algorithm = Literal["sha256", "xxh3"]

_WAITING = 16


class Digest(Protocol):
    """A digest of bytes that come piece by piece."""

    def add(self, piece: memoryview) -> None:
        """Take the next piece; the caller may overwrite it afterwards."""

    def result(self) -> str:
        """The digest of all pieces, in hexadecimal."""

    def stop(self) -> None:
        """Take no more; for where the writing failed."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What looks on while files are written.

    Args:
        on_bytes: called with the number of bytes just written.
        checksum: which digest to take of each file; none where it is left out.
        digests: name of a file -> its digest, filled as files are finished.
    """

    on_bytes: Callable[[int], None] | None = None
    checksum: Algorithm | None = None
    digests: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def digest(self, name: str) -> Iterator[Digest | None]:
        """Yield what is to be given the bytes of a file; None where no digest is wanted."""
        if self.checksum is None:
            yield None
            return
        digest = new_digest(self.checksum)
        try:
            yield digest
            self.digests[name] = digest.result()
        finally:
            digest.stop()


class _Hash(Protocol):
    def update(self, piece: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def new_digest(algorithm: Algorithm) -> Digest:
    """Begin a digest.

    Raises:
        UsageError: see `check_algorithm`.
    """
    if algorithm == "sha256":
        try:
            return _InThread(hashlib.sha256())
        except RuntimeError:
            # Memory is too short for a thread: slower, and right all the same.
            return _Between(hashlib.sha256())
    check_algorithm(algorithm)
    return _Between(cast(_Hash, importlib.import_module("xxhash").xxh3_128()))


def check_algorithm(algorithm: Algorithm | None) -> None:
    """Raise what would stop a digest from being taken, before any writing begins.

    Raises:
        UsageError: xxh3 is asked for and the package `xxhash` is not installed.
    """
    if algorithm == "xxh3" and importlib.util.find_spec("xxhash") is None:
        raise UsageError(
            "the package xxhash is not installed",
            where="--checksum xxh3",
            hint="`pip install xxhash`, or take sha256",
        )


class _Between:
    """Taken at once, between two pieces."""

    def __init__(self, found: _Hash) -> None:
        self._found = found

    def add(self, piece: memoryview) -> None:
        self._found.update(piece)

    def result(self) -> str:
        return self._found.hexdigest()

    def stop(self) -> None:
        pass


class _InThread:
    """Taken by a thread; a few pieces wait for it, and then the writing does."""

    def __init__(self, found: _Hash) -> None:
        self._found = found
        self._pieces: Queue[bytes | None] = Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, piece: memoryview) -> None:
        self._pieces.put(bytes(piece))

    def result(self) -> str:
        self.stop()
        return self._found.hexdigest()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._pieces.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (piece := self._pieces.get()) is not None:
            self._found.update(piece)
