"""Tells the disk to begin while a file is still being written, so that fsync finds little left.

A hint only: it reports nothing, and fsync still reports every error. It is given by a thread of its
own, because a busy disk makes the system wait to take it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue

_EVERY = 16 * 1024 * 1024
_BEGIN_WRITING = 2


class EarlyWriting:
    """Begins to bring a file to the disk, 16 MB at a time; `stop` before closing the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begun = 0
        self._stopped = False
        self._spans: SimpleQueue[tuple[int, int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def reached(self, position: int) -> None:
        """Say that the file is written up to `position`."""
        if self._stopped or position - self._begun < _EVERY or _sync_file_range() is None:
            return
        if self._thread is None and not self._start():
            return
        self._spans.put((self._begun, position - self._begun))
        self._begun = position

    def _start(self) -> bool:
        """Whether there is a thread; where memory is too short for one, it goes without hints."""
        thread = threading.Thread(target=self._work, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._stopped = True
            return False
        self._thread = thread
        return True

    def stop(self) -> None:
        """Forget what has not begun yet, and wait until the file is no longer used."""
        self._stopped = True
        self._spans.put(None)
        if self._thread:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        call = _sync_file_range()
        while call and (span := self._spans.get()) and not self._stopped:
            call(self._descriptor, *span, _BEGIN_WRITING)


@cache
def _sync_file_range() -> Callable[[int, int, int, int], int] | None:
    # Imported here because reading a model never needs it.
    import ctypes

    call = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if call is not None:
        call.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
        call.restype = ctypes.c_int
    return call
