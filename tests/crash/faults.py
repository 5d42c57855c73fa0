"""The faults of one scene, each as a stream of outcomes. What is promised is judged in `scene`."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from surgery.store.checkpoint import open_checkpoint
from tests.crash.scene import NEW, Outcome, Scene, contents, hidden, put, remove, run
from tests.crash.tracing import Call

Outcomes = Iterator[Outcome]
Fault = Callable[[list[str]], tuple[int, str, float]]


def sample(calls: Sequence[Call], limit: int, seed: int = 0) -> list[Call]:
    """At most `limit` calls, every kind of call among them; all when `limit` is 0."""
    if not limit or len(calls) <= limit:
        return list(calls)
    draw = random.Random(seed)
    kinds = {call.name: call for call in calls}
    rest = [call for call in calls if call not in kinds.values()]
    more = draw.sample(rest, max(0, limit - len(kinds)))
    return [call for call in calls if call in more or call in kinds.values()]


def at_random(scene: Scene, number: signal.Signals, runs: int, seed: int = 0) -> Outcomes:
    """A signal at a random moment of the job; a write takes about a third of a second."""
    draw = random.Random(seed)
    # The bytes of an edit in place are made before it begins, so only it is worth waiting for.
    slow = 0.3 / len(open_checkpoint(scene.model)) if scene.job == "write" else 0.0
    scene.reset()
    length = _length([*scene.command()[:-1], str(slow)])
    for _ in range(runs):
        scene.reset()
        moment = draw.uniform(0.0, 1.1 * length)
        yield scene.run(lambda command, m=moment: interrupted(command, number, slow, m))


def _length(command: list[str]) -> float:
    """Seconds that an undisturbed job takes once it has begun."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    began = time.perf_counter()
    child.stdout.read()
    seconds = time.perf_counter() - began
    assert child.wait() == 0
    return seconds


def interrupted(
    command: list[str], number: signal.Signals, slow: float, wait: float
) -> tuple[int, str, float]:
    """Start a slow job, wait until it has begun and then `wait` seconds, and signal it."""
    command = [*command[:-1], str(slow)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(wait)
    began = time.perf_counter()
    child.send_signal(number)
    _, error = child.communicate(timeout=60)
    return child.returncode, error, time.perf_counter() - began


def at_calls(
    scene: Scene,
    calls: Sequence[Call],
    fault: Callable[[Call], Fault],
) -> Outcomes:
    """One run for each call, with the fault at it."""
    for call in calls:
        scene.reset()
        yield scene.run(fault(call))


def three_writers(scene: Scene, runs: int) -> Outcomes:
    """Three processes write different values to one output at once."""
    expected = []
    for fill in (4, 5, 6):
        put(scene.model, scene.out, fill)
        expected.append(contents(scene.out))
    for _ in range(runs):
        scene.reset()
        jobs = [scene.command(fill, 0.005) for fill in (4, 5, 6)]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        children = [subprocess.Popen(job, **silent) for job in jobs]
        codes = [child.wait(60) for child in children]
        state = "new" if contents(scene.out) in expected else "torn"
        litter = len(hidden(scene.out.parent))
        remove(scene.out)
        yield Outcome(state, max(codes), litter, run(scene.command(), 60)[0] == 0)


def changed_source(scene: Scene, runs: int, seed: int = 0) -> Outcomes:
    """The model is touched, cut, rewritten or replaced at a random moment of the job."""
    draw, backup = random.Random(seed), scene.model.with_name("backup")
    shutil.copy2(scene.model, backup)
    for number in range(runs):
        scene.reset()
        moment, how = draw.uniform(0.0, 0.35), CHANGES[number % len(CHANGES)]
        command = [*scene.command()[:-1], "0.04"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(moment)
        how(scene.model, backup)
        _, error = child.communicate(timeout=60)
        state, litter = _which(scene, scene.out), len(hidden(scene.out.parent))
        shutil.copy2(backup, scene.model)
        mended = run(scene.command(), 60)[0] == 0 and contents(scene.out) == scene.new
        yield Outcome(state, child.returncode, litter, mended, 0.0, error)
    backup.unlink()


def _touch(model: Path, backup: Path) -> None:
    os.utime(model, ns=(1, 1))


def _cut(model: Path, backup: Path) -> None:
    os.truncate(model, 100)


def _replace(model: Path, backup: Path) -> None:
    shutil.copy(backup, model.with_name("other"))
    model.with_name("other").replace(model)


def _rewrite(model: Path, backup: Path) -> None:
    with model.open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(bytes(8))


CHANGES = (_touch, _cut, _replace, _rewrite)


def readers(scene: Scene, runs: int) -> Outcomes:
    """Two processes copy a model again and again while a third replaces it."""
    copies = [scene.out.with_name(name) for name in ("first", "second")]
    whole = [list(scene.old.values()), list(scene.new.values())]
    for number in range(runs):
        scene.reset()
        jobs = [
            [*scene.command()[:-5], "copy", *map(str, (scene.out, copy, 0, 0))] for copy in copies
        ]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        children = [subprocess.Popen(job, **pipes) for job in jobs]
        code, error, _ = run(scene.command(NEW, 0.002 * (number % 5)), 60)
        yield Outcome(_which(scene, scene.out), code, 0, True, 0.0, error)
        for child, copy in zip(children, copies, strict=True):
            _, error = child.communicate(timeout=60)
            found = list(contents(copy).values()) if copy.exists() else None
            state = "old" if found is None else "new" if found in whole else "torn"
            remove(copy)
            litter = len(hidden(scene.out.parent))
            yield Outcome(state, child.returncode, litter, True, 0.0, error)


def _which(scene: Scene, path: Path) -> str:
    found = contents(path)
    return "new" if found == scene.new else "old" if found == scene.old else "torn"
