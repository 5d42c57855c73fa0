"""strace as a source of faults: the file-system calls of a job, and one of them made to fail."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.crash import warm
from tests.crash.child import BEGIN

_LINE = re.compile(r"\d+ +(\w+)\((.*)")
# No file-system calls, or calls whose failure says nothing about the disk.
_OTHER = frozenset({"mmap", "execve", "ioctl", "getcwd", "readlink", "fcntl"})
_WRITES = frozenset({"pwrite64", "write", "fallocate"})
_MAKES = frozenset({"mkdir", "symlink", "rename", "renameat2", "fsync", "fdatasync"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a job: its name, its number among those of that name, its arguments."""

    name: str
    number: int
    text: str


@cache
def why_not() -> str:
    """Why faults cannot be injected here; empty when they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "strace may not trace its children here"


def calls(command: Sequence[str], log: Path) -> list[Call]:
    """Run a job under strace and return its file-system calls from its beginning on."""
    tracer = ["strace", "-f", "-y", "-e", "trace=%file,%desc", "-o", str(log)]
    code, error, _ = warm.run(command, tracer)
    assert code == 0, error
    counts: Counter[str] = Counter()
    found, begun = [], False
    for line in log.read_text("utf-8", "replace").splitlines():
        if not (parts := _LINE.match(line)):
            continue
        name, text = parts[1], parts[2]
        counts[name] += 1
        begun = begun or BEGIN in text
        if begun and name not in _OTHER and BEGIN not in text:
            found.append(Call(name, counts[name], text))
    log.unlink()
    return found


def killed_at(call: Call) -> Callable[[list[str]], tuple[int, str, float]]:
    """A fault: kill -9 on entering this call."""
    return _injected(call, "signal=KILL", "")


def stopped_at(call: Call, signal: str) -> Callable[[list[str]], tuple[int, str, float]]:
    """A fault: a signal that a program can catch, at this call."""
    return _injected(call, f"signal={signal}", "")


def failing_at(call: Call, error: str) -> Callable[[list[str]], tuple[int, str, float]]:
    """A fault: this call fails; a full disk stays full for everything that writes."""
    return _injected(call, f"error={error}", "+" if _stays(call, error) else "")


def can_be_full(call: Call) -> bool:
    """Whether this call can find the disk full."""
    makes = call.name in _MAKES or (call.name == "openat" and "O_CREAT" in call.text)
    return makes or call.name in _WRITES


def _stays(call: Call, error: str) -> bool:
    return error == "ENOSPC" and call.name in _WRITES


def _injected(call: Call, what: str, onwards: str) -> Callable[[list[str]], tuple[int, str, float]]:
    inject = f"inject={call.name}:{what}:when={call.number}{onwards}"
    words = ["strace", "-f", "-qq", "-e", f"trace={call.name}", "-e", inject, "-o", "/dev/null"]
    return lambda command: warm.run(command, words)
