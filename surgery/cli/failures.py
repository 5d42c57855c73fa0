"""From an exception to one line on stderr and an exit code. Nothing below cli knows exit codes."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from typer.exceptions import TyperException

from surgery.cli.console import complain, mute, show_help
from surgery.cli.stopping import Stopped
from surgery.errors import GateError, HubError, ResourceError, SurgeryError
from surgery.store.text import visible

BUG, MISUSE, GATE, HUB, PREFLIGHT, INTERRUPTED, READER_GONE = 1, 2, 3, 4, 5, 130, 141

CODES: Mapping[type[SurgeryError], int] = {
    GateError: GATE,
    HubError: HUB,
    ResourceError: PREFLIGHT,
}

# What no code is to blame for, wherever it is met.
_SHORT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_FAILING = frozenset({errno.EIO, errno.EROFS, errno.ESTALE})

_SECRET = re.compile(
    r"hf_[A-Za-z0-9]{3,}|(?<=Bearer )\S+|(?<=--token=)[^\s']+|(?<='--token', ')[^']+"
)


def report(error: BaseException) -> int:
    """Tell the user what went wrong and return the exit code that says it to programs."""
    if _reader_gone(error):
        return _silence()
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else BUG
        case SurgeryError():
            code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), MISUSE)
            return _end(str(error), code)
        case KeyboardInterrupt():
            return _end("interrupted", INTERRUPTED)
        case Stopped():
            return _end(str(error), error.code)
        case TyperException():
            return _misuse(error)
        case MemoryError():
            return _end("out of memory; close other programs or take a larger machine", PREFLIGHT)
        case RuntimeError() if _is_full(error):
            line = "out of memory; take a smaller --batch or --resolution, or a larger machine"
            return _end(line, PREFLIGHT)
        case OSError() if error.errno in _SHORT | _FAILING:
            where = f" ({visible(str(error.filename))})" if error.filename else ""
            line = f"the system failed: {error.strerror}{where}"
            return _end(line, PREFLIGHT if error.errno in _SHORT else MISUSE)
    return _end(f"a bug in surgery ({type(error).__name__}); {_details(error)}", BUG)


def _is_full(error: RuntimeError) -> bool:
    """Whether torch, which is not loaded here, found no room on the machine or on its GPU."""
    return type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)


def _end(line: str, code: int) -> int:
    complain(line)
    return code


def _misuse(error: TyperException) -> int:
    message = error.format_message()
    # A command without its words fails with its whole help as the message.
    if "\n" in message:
        show_help(message)
        return MISUSE
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context is not None else ""
    return _end(f"{message.rstrip('.?')}{hint}", MISUSE)


def _reader_gone(error: BaseException) -> bool:
    # Typer turns a broken pipe into SystemExit(1) with the cause in its context.
    return isinstance(error, BrokenPipeError) or (
        isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError)
    )


def _silence() -> int:
    """Say nothing more to a reader who is gone."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and not stream.closed:
            mute(stream)
    return READER_GONE


def _details(error: BaseException) -> str:
    try:
        return f"details are in {_log(error)}"
    except OSError as second:
        return f"its details cannot be kept: {second.strerror}"


def _log(error: BaseException) -> Path:
    import platform
    import tempfile
    import traceback
    from importlib.metadata import distributions

    names = ("surgery", "typer", "rich", "pydantic", "numpy", "safetensors", "torch", "diffusers")
    known = {item.name: item.version for item in distributions() if item.name in names}
    lines = [
        f"Python {platform.python_version()} on {platform.platform()}",
        *(f"{name} {version}" for name, version in sorted(known.items())),
        f"command: {sys.argv}",
        "".join(traceback.format_exception(error)),
    ]
    number, name = tempfile.mkstemp(prefix="surgery-", suffix=".log")
    with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_SECRET.sub("[secret]", "\n".join(lines)))
    return Path(name)
