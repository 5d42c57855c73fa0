"""How many bytes of files really go to the Hub, and how long an answer is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Protocol

ANSWER_SECONDS = 180.0
"""A commit of many files takes the Hub its time; the client alone would wait for ever."""


@dataclass(slots=True)
class Traffic:
    """Bytes of files that were sent and taken; None where that is not known."""

    sent: int | None = 0

    def add(self, count: int) -> None:
        """Count bytes that were taken."""
        self.sent = (self.sent or 0) + count


class _Report(Protocol):
    total_transfer_bytes_completed: int


@contextmanager
def watched() -> Iterator[Traffic]:
    """Count what is uploaded inside, plainly or through Xet; draw no bars."""
    from huggingface_hub import get_session

    utils = import_module("huggingface_hub.utils")
    traffic, session = Traffic(), get_session()
    hooks, timeout = session.event_hooks, session.timeout
    drawn = not utils.are_progress_bars_disabled()
    seen: Callable[..., object] = partial(_seen, traffic)
    session.event_hooks = hooks | {"response": [*hooks.get("response", []), seen]}
    session.timeout = ANSWER_SECONDS
    utils.disable_progress_bars()
    try:
        with _xet(traffic) if _uses_xet() else nullcontext():
            yield traffic
    finally:
        session.event_hooks, session.timeout = hooks, timeout
        if drawn:
            utils.enable_progress_bars()


def _uses_xet() -> bool:
    found = import_module("huggingface_hub.utils._runtime").is_xet_available()
    return bool(found)


def _seen(traffic: Traffic, response: object) -> None:
    """Count the body of a file that the Hub's store took."""
    request, status = getattr(response, "request", None), getattr(response, "status_code", 0)
    length = getattr(request, "headers", {}).get("Content-Length")
    if getattr(request, "method", "") == "PUT" and status < 300 and length:
        traffic.add(int(length))


@contextmanager
def _xet(traffic: Traffic) -> Iterator[None]:
    """Listen to Xet in the place of the bar that the client would draw.

    It sends only the pieces of a file that it has not got, and tells nobody but that bar how much.
    """
    utils = import_module("huggingface_hub.utils")
    bars = import_module("huggingface_hub.utils._xet_progress_reporting")
    utils.enable_progress_bars()
    drawn = getattr(bars, "XetUploadProgressReporter", None)
    if drawn is None or utils.are_progress_bars_disabled():
        traffic.sent = None
        yield
        return
    vars(bars)["XetUploadProgressReporter"] = partial(_Listener, traffic)
    try:
        yield
    finally:
        vars(bars)["XetUploadProgressReporter"] = drawn


@dataclass(slots=True)
class _Listener:
    """Takes the reports of one upload through Xet."""

    traffic: Traffic
    last: int = 0

    def update_progress(self, group: _Report, items: object = None) -> None:
        self.traffic.add(group.total_transfer_bytes_completed - self.last)
        self.last = group.total_transfer_bytes_completed

    def close(self) -> None:
        """Nothing was opened."""
