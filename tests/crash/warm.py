"""Jobs forked from a process that has imported everything: the same calls without the start-up.

As a program it is that process: it reads one job a line, and answers with the pid of a stopped
child, and, once that has run and ended, with its exit code and what it said.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import IO

_WORDS = 5
_SET_PTRACER, _ANYONE = 0x59616D61, -1


def run(command: Sequence[str], tracer: Sequence[str] = ()) -> tuple[int, str, float]:
    """Run the job of a command line: (exit code, stderr, seconds).

    Args:
        tracer: strace with its options, to be attached before the job's first call.
    """
    asked, answers = _server()
    asked.write(json.dumps(list(command[-_WORDS:])) + "\n")
    asked.flush()
    pid = int(answers.readline())
    watcher = _attached(tracer, pid) if tracer else None
    began = time.perf_counter()
    os.kill(pid, signal.SIGCONT)
    code, error = json.loads(answers.readline())
    seconds = time.perf_counter() - began
    if watcher:
        watcher.wait(60)
    return code, error, seconds


def _attached(tracer: Sequence[str], pid: int) -> subprocess.Popen[bytes]:
    watcher = subprocess.Popen([*tracer, "-p", str(pid)], stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{pid}/status")
    while f"TracerPid:\t{watcher.pid}\n" not in status.read_text("ascii"):
        assert watcher.poll() is None, "strace did not attach"
        time.sleep(0.001)
    return watcher


@cache
def _server() -> tuple[IO[str], IO[str]]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-B", "-m", "tests.crash.warm"]
    root = Path(__file__).parents[2]
    server = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, cwd=root, start_new_session=True
    )
    assert server.stdin and server.stdout
    return server.stdin, server.stdout


def serve() -> None:
    warmed = False
    with tempfile.TemporaryFile("w+") as said:
        for line in sys.stdin:
            words = json.loads(line)
            if words[0] == "command" and not warmed:
                _import_everything(words)
                warmed = True
            said.seek(0)
            said.truncate()
            pid = os.fork()
            if pid == 0:
                _become(words, said.fileno())
            os.waitpid(pid, os.WUNTRACED)
            _answer(str(pid))
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            said.seek(0)
            _answer(json.dumps([code, said.read()]))


def _import_everything(words: list[str]) -> None:
    """Let the command line do its work once without writing, for what it imports on the way."""
    from tests.crash import child

    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        code = child.command(Path(words[1]), Path(words[2]), "--dry-run")
    assert code == 0


def _become(words: list[str], said: int) -> None:
    from tests.crash import child

    # Where only a parent may trace, the tracer, a sibling, must be let in.
    ctypes.CDLL(None).prctl(_SET_PTRACER, _ANYONE)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(said, 2)
    sys.argv[1:] = words
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        code = child.main()
    except BaseException:  # noqa: BLE001 - a traceback is one of the findings
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        code = 1
    os._exit(code)


def _answer(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # Imported here and not by its jobs, so that no fault hits an import.
    import tests.crash.child  # noqa: F401

    serve()
