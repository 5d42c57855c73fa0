"""Requests to stop, as exceptions, so that `finally` blocks clean up before the process ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(BaseException):
    """The process was asked to end; not an `Exception`, so that nothing swallows it on the way."""

    def __init__(self, signum: int) -> None:
        self.code = 128 + signum
        super().__init__(f"stopped by {signal.Signals(signum).name}")


@contextmanager
def signals_raise() -> Iterator[None]:
    """Within, Ctrl-C raises `KeyboardInterrupt`, SIGTERM and SIGHUP raise `Stopped`.

    The first one silences the rest: a second must not cut the cleaning up short. A signal that
    the parent had ignored (nohup) stays ignored. Outside the main thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    wanted = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def stop(signum: int, frame: FrameType | None) -> None:
        for number in wanted:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt if signum == signal.SIGINT else Stopped(signum)

    try:
        for number in wanted:
            signal.signal(number, stop)
        yield
    finally:
        for number in wanted:
            signal.signal(number, before[number])
