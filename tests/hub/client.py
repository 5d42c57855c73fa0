"""A process that runs the command line against a Hub of the tests' own, many times over.

huggingface_hub reads its settings once, at import, so they must be those of a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

TOKEN = "hf_" + "notarealtokenbutlongenough"
ROOT = Path(__file__).parents[2]

LOOP = """
import contextlib, io, json, os, pathlib, sys
from surgery.store import hub_traffic, patience
hub_traffic.ANSWER_SECONDS = 3.0
object.__setattr__(patience.PATIENCE, "pauses", (0.01, 0.01, 0.01, 0.01))
object.__setattr__(patience.PATIENCE, "longest", 3.0)
from surgery.cli import main
real = sys.stdout
for line in sys.stdin:
    argv, out, err = json.loads(line), io.StringIO(), io.StringIO()
    forked = argv[0] == "--forked"
    if forked and (child := os.fork()):
        _, status = os.waitpid(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), "", ""]), file=real, flush=True)
        continue
    if forked:
        pathlib.Path(argv[1]).write_text(str(os.getpid()))
        argv = argv[2:]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    if forked:
        os._exit(code)
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=real, flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class Client:
    """Use as a context; `run` gives one command line to the process.

    Args:
        endpoint: HF_ENDPOINT.
        home: HF_HOME, the cache beneath it.
        more: further variables of the environment.
    """

    def __init__(self, endpoint: str, home: Path, **more: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "http", "HTTP"))}
        env = kept | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(home),
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DOWNLOAD_TIMEOUT": "2",
            "HF_HUB_ETAG_TIMEOUT": "2",
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "*",
        }
        self.cache = home / "hub"
        self.environment = env | more
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=home,
            env=self.environment,
            text=True,
        )

    def run(self, *argv: object) -> Done:
        """Run one command line and return how it ended."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([str(word) for word in argv]) + "\n")
        self._process.stdin.flush()
        return Done(*json.loads(self._process.stdout.readline()))

    def run_child(self, pid_file: Path, *argv: object) -> int:
        """Run one command line in a child of the process; returns its code, -9 if it was killed."""
        return self.run("--forked", pid_file, *argv).code

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
