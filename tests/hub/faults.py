"""Ways in which a Hub or the way to it can fail, each for some requests only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

Kind = Literal[
    "status", "cut", "norange", "flip", "shift", "surplus", "hang", "lose", "etag", "drop"
]
ALWAYS = 1_000_000


@dataclass
class Fault:
    """One way to fail.

    Args:
        kind: status: answer so; cut: break off after `after` bytes; norange: send the whole file;
            flip: one false byte; shift: another range than asked for; surplus: one byte more;
            hang: never answer; lose: do the work and hang up; etag: a false ETag;
            drop: hang up after `after` bytes of what is sent.
        path: pattern that the path must contain.
        times: how many requests fail before all is well.
    """

    kind: Kind
    path: str = ""
    method: str = ""
    times: int = ALWAYS
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    after: int = 0

    def fits(self, method: str, path: str) -> bool:
        return (
            self.times > 0
            and self.method in ("", method)
            and re.search(self.path, path) is not None
        )


class Faults:
    """The faults in force; each request takes at most one."""

    def __init__(self) -> None:
        self.all: list[Fault] = []
        self._lock = Lock()

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.all:
                if fault.fits(method, path):
                    fault.times -= 1
                    return fault
        return None


def refused(status: int, code: str = "", message: str = "", **more: object) -> Fault:
    """A refusal with the Hub's own error headers."""
    named = {"X-Error-Code": code, "X-Error-Message": message}
    return Fault("status", status=status, headers={k: v for k, v in named.items() if v}, **more)  # type: ignore[arg-type]
