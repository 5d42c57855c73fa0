"""The corpus with each command in a process of its own: seconds, peak memory, one table.

Not a test. `python -m tests.hostile.table` runs it all; `--every 10` a tenth of it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.cases import Case
from tests.hostile.corpus import BAD, ODD, build
from tests.hostile.test_corpus import content, hidden, inventory, kept

SECONDS, MEGABYTES = 2.0, 300.0
# Another process can take the machine away from one run, hardly from three.
TRIES = 3
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Run:
    """One command on one case; `fault` is empty when all that is promised held."""

    case: Case
    command: str
    fault: str
    seconds: float
    processor: float
    megabytes: float


def run_all(cases: Iterable[Case], bad: bool) -> list[Run]:
    return [run for case in cases for run in _runs(case, bad)]


def _runs(case: Case, bad: bool) -> Iterator[Run]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = build(case, folder)
        before = inventory(folder)
        for command, words in built.commands.items():
            # No process can be given a NUL; in one process the tests do.
            if any("\0" in word for word in words) or (not bad and command.startswith("diff")):
                continue
            for _ in range(TRIES):
                shutil.rmtree(built.out, ignore_errors=True)
                built.out.unlink(missing_ok=True)
                code, text, seconds, processor, megabytes = _measure(words)
                if seconds <= SECONDS:
                    break
            fault = "" if code == (case.code if bad else 0) else f"exit {code}: {text[-200:]}"
            if bad:
                fault = fault or _refused(text, inventory(folder) == before)
            elif command == "apply":
                fault = fault or ("" if content(built.out) == kept(built) else "bytes differ")
            yield Run(case, command, fault, seconds, processor, megabytes)


def _measure(words: list[str]) -> tuple[int, str, float, float, float]:
    """Exit code, output, seconds, seconds of processor and peak megabytes of one process."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        arguments = [word.encode("utf-8", "surrogateescape") for word in words]
        command = [sys.executable, "-m", "surgery", *arguments]
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        watch = threading.Timer(PATIENCE, process.kill)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    used = usage.ru_utime + usage.ru_stime
    return process.returncode, text, seconds, used, usage.ru_maxrss / 1000


def _refused(text: str, nothing_written: bool) -> str:
    if not text.startswith("Error: ") or text.count("\n") != 1:
        return f"not one sentence: {text[:200]!r}"
    if hidden(text):
        return "control characters"
    return "" if nothing_written else "something was written"


def report(title: str, runs: list[Run]) -> bool:
    """Write one half of the table; True when every promise held."""
    slow = max(runs, key=lambda run: run.seconds)
    busy = max(runs, key=lambda run: run.processor)
    large = max(runs, key=lambda run: run.megabytes)
    sound = {run.case.id for run in runs} - {run.case.id for run in runs if run.fault}
    tried = len({run.case.id for run in runs})
    lines = [
        f"{title}: {len(sound)} of {tried} cases, {len(runs)} processes",
        f"  slowest {slow.seconds:.2f} s ({slow.case.id}, {slow.command}); limit {SECONDS} s",
        f"  busiest {busy.processor:.2f} s of processor ({busy.case.id}, {busy.command})",
        f"  largest {large.megabytes:.0f} MB ({large.case.id}, {large.command}); "
        f"limit {MEGABYTES:.0f} MB",
        *(f"  FAULT {run.case.id}, {run.command}: {run.fault}" for run in runs if run.fault),
    ]
    sys.stdout.write("\n".join(lines).encode("ascii", "backslashreplace").decode() + "\n")
    within = slow.seconds <= SECONDS and large.megabytes <= MEGABYTES
    return within and not any(run.fault for run in runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="run every Nth case only")
    step = parser.parse_args().every
    held = [
        report("bad inputs refused", run_all(BAD[::step], bad=True)),
        report("odd inputs kept byte for byte", run_all(ODD[::step], bad=False)),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    raise SystemExit(main())
