"""Every fault of a write and what it left: python -m tests.crash.table [--all] [--runs N]

Prints one row for each fault; exits with 1 when a run broke a promise. A run is sound when the
output is old or new to the last bit, the model is untouched, an error has one line and no litter,
and the same command run again ends well. Without --all a sample of the calls is faulted.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.crash import faults, limits, rights, surroundings, tracing
from tests.crash.order import problems
from tests.crash.scene import Outcome, Scene, scene

ROW = "{:41} {:>5} {:>5} {:>5} {:>5} {:>7} {:>10} {:>8} {:>7}"
SCENES = {
    "file over file": {"job": "write"},
    "new file": {"job": "write", "exists": False},
    "folder over folder": {"job": "write", "kind": "folder"},
    "new folder": {"job": "write", "kind": "folder", "exists": False},
    "command line": {"job": "command"},
    "command line, folder": {"job": "command", "kind": "folder"},
    "in place": {"job": "edit"},
    "in place, folder": {"job": "edit", "kind": "folder"},
    "undo": {"job": "undo"},
}


def rows(work: Path, limit: int, runs: int) -> Iterator[tuple[str, Iterable[Outcome]]]:
    """Each fault's name and outcomes, which come as they are asked for.

    Args:
        limit: calls to fault in each scene, 0 for all.
        runs: runs of every fault that has a random moment.
    """
    scenes = {name: scene(work / name.replace(" ", "_"), **how) for name, how in SCENES.items()}
    timed = {name: scenes[name] for name in ("file over file", "new folder", "in place")}
    for name, one in timed.items():
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            title = f"{number.name} at random: {name}"
            yield title, faults.at_random(one, number, runs)
    if not tracing.why_not():
        for name, one in scenes.items():
            yield from at_calls(name, one, work / "log", limit)
    one = scenes["file over file"]
    shares = (0.0, 0.1, 0.2, 0.5, 0.9, 0.999)
    for name in ("file over file", "new file", "folder over folder", "in place"):
        yield f"RLIMIT_FSIZE: {name}", limits.size_limits(scenes[name], shares)
    shares = (0.0, 0.3, 0.6, 0.9, 1.2)
    yield "RLIMIT_AS up to 1.2 x the peak", limits.memory_limits(work / "memory", shares)
    yield "RLIMIT_NOFILE 32, 100 shards", limits.few_descriptors(work / "descriptors")
    if not limits.why_no_small_disk():
        yield "ENOSPC on a small disk", limits.small_disk(work / "small")
    for name in ("file over file", "new folder", "in place", "undo"):
        yield f"read-only folder: {name}", limits.read_only(scenes[name])
    yield "three writers, one file", faults.three_writers(one, runs)
    yield "three writers, one folder", faults.three_writers(scenes["folder over folder"], runs)
    yield "source changed meanwhile", faults.changed_source(one, runs)
    yield "two readers, one writer", faults.readers(one, runs)
    yield "mode, owner, umask, links", rights.outcomes(work / "rights")
    yield "environment, streams, folder", surroundings.outcomes(work / "surroundings")


def at_calls(
    name: str, one: Scene, log: Path, limit: int
) -> Iterator[tuple[str, Iterable[Outcome]]]:
    """The faults that strace can put at a call."""
    one.reset()
    found = tracing.calls(one.command(), log)
    full = [call for call in found if tracing.can_be_full(call)]
    some = faults.sample(found, limit)
    yield f"kill -9 at a call: {name}", faults.at_calls(one, some, tracing.killed_at)
    term = faults.at_calls(one, some, lambda call: tracing.stopped_at(call, "TERM"))
    yield f"SIGTERM at a call: {name}", term
    eio = faults.at_calls(one, some, lambda call: tracing.failing_at(call, "EIO"))
    yield f"EIO at a call: {name}", eio
    space = faults.sample(full, limit)
    enospc = faults.at_calls(one, space, lambda call: tracing.failing_at(call, "ENOSPC"))
    yield f"ENOSPC at a call: {name}", enospc
    wrong = problems(one, found)
    state = "torn" if wrong else "new"
    yield f"order for power loss: {name}", [Outcome(state, 0, 0, True, 0.0, "; ".join(wrong))]


def line(title: str, found: list[Outcome]) -> str:
    """One row: runs, states, litter nobody may find, tracebacks, runs a rerun did not mend."""
    states = [outcome.state for outcome in found]
    litter = sum(outcome.litter for outcome in found if outcome.code != -9)
    again = sum(not outcome.mended for outcome in found)
    slowest = max((outcome.seconds for outcome in found), default=0.0)
    counts = [states.count(state) for state in ("old", "new", "torn")]
    bugs = sum(outcome.is_bug for outcome in found)
    return ROW.format(title, len(found), *counts, litter, bugs, again, f"{slowest:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="fault every call, not a sample")
    parser.add_argument("--calls", type=int, default=12, help="calls of a sample")
    parser.add_argument("--runs", type=int, default=20, help="runs at random moments")
    parser.add_argument("--only", default="", help="run only faults whose name holds this")
    options = parser.parse_args()
    for title, reason in (
        ("no faults at calls", tracing.why_not()),
        ("no small disk", limits.why_no_small_disk()),
    ):
        sys.stdout.write(f"{title}: {reason}\n" if reason else "")
    # Started in the background or under nohup, some signals come ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    heads = ("fault", "runs", "old", "new", "torn", "litter", "tracebacks", "unmended", "slowest")
    sys.stdout.write(ROW.format(*heads) + "\n")
    total, broken = 0, []
    with tempfile.TemporaryDirectory() as folder:
        limit = 0 if options.all else options.calls
        for title, outcomes in rows(Path(folder), limit, options.runs):
            if options.only not in title:
                continue
            found = list(outcomes)
            total += len(found)
            broken += [(title, outcome) for outcome in found if not outcome.is_sound]
            sys.stdout.write(line(title, found) + "\n")
            sys.stdout.flush()
    for title, outcome in broken:
        sys.stdout.write(f"BROKEN {title}: {outcome}\n")
    sys.stdout.write(f"{total} runs, {len(broken)} broke a promise\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
