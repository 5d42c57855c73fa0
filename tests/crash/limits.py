"""Limits that a job runs into: room on the disk, sizes of files, memory, descriptors, rights.

As a program: the runs on a small file system, which only a name space of its own may mount.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

from tests.crash import warm
from tests.crash.scene import Outcome, Scene, run, scene

Outcomes = Iterator[Outcome]
PLENTY = 64 << 20
SMALL: dict[str, dict[str, object]] = {
    "file over file": {"job": "write"},
    "folder": {"job": "write", "kind": "shards"},
    "in place": {"job": "edit"},
}


def limited(command: list[str], kind: int, limit: int) -> tuple[int, str, float]:
    """Run a job under a limit of `resource`."""

    def lower() -> None:
        resource.setrlimit(kind, (limit, limit))

    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lower, check=False)
    return done.returncode, done.stderr, 0.0


def size_limits(one: Scene, shares: Sequence[float]) -> Outcomes:
    """A limit on the size of files, as a share of the output's."""
    total = max(path.stat().st_size for path in [one.model, *one.model.rglob("*")])
    for share in shares:
        one.reset()
        limit = int(share * total)
        yield one.run(lambda command, most=limit: limited(command, resource.RLIMIT_FSIZE, most))


def memory_limits(work: Path, shares: Sequence[float]) -> Outcomes:
    """A limit on memory, from what a plain copy needs (0) to the edit's own peak (1) and beyond."""
    one = scene(work, "write", kind="large file")
    command = one.command()
    most = peak(command)
    least = peak([*command[:-5], "copy", *command[-4:]])
    for share in shares:
        one.reset()
        limit = int(least + share * (most - least)) if share <= 1 else int(share * most)
        found = one.run(lambda command, m=limit: limited(command, resource.RLIMIT_AS, m))
        # With a fifth more than its peak it has to go well.
        yield replace(found, mended=found.mended and (share <= 1 or found.state == "new"))


def peak(command: list[str]) -> int:
    """The most bytes of address space that a job held."""
    # A thread's arena is address space that is set aside and hardly used: it would hide the rest.
    settings = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    child = subprocess.Popen([*command[:-1], "0.05"], stdout=subprocess.DEVNULL, env=settings)
    most = 0
    while child.poll() is None:
        for line in Path(f"/proc/{child.pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmPeak"):
                most = max(most, int(line.split()[1]) * 1024)
        time.sleep(0.002)
    assert child.returncode == 0
    return most


def few_descriptors(work: Path) -> Outcomes:
    """At most 32 open files, for models of 100 shards."""
    for job in ("write", "edit", "undo"):
        one = scene(work / job, job, kind="shards")
        yield one.run(lambda command: limited(command, resource.RLIMIT_NOFILE, 32))


def read_only(one: Scene) -> Outcomes:
    """Folders that nobody may write to; nothing where root cannot be kept out."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return
    words = drop if os.geteuid() == 0 else []
    for folder in {one.out.parent, one.watched.parent}:
        one.reset()
        folder.chmod(0o555)

        def fault(command: list[str], folder: Path = folder) -> tuple[int, str, float]:
            found = run([*words, *command], 60)
            folder.chmod(0o755)
            return found

        try:
            yield one.run(fault)
        finally:
            folder.chmod(0o755)


@cache
def why_no_small_disk() -> str:
    """Why no small file system can be mounted here; empty when one can."""
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    done = subprocess.run(mount, capture_output=True, check=False)
    return "" if done.returncode == 0 else "no name space may be made here"


def small_disk(work: Path) -> Outcomes:
    """A file system with less room than needed, then with enough; and one that fills meanwhile."""
    work.mkdir()
    command = ["unshare", "-rm", sys.executable, "-m", "tests.crash.limits", str(work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for fields in json.loads(done.stdout):
        yield Outcome(**fields)


def on_small_disk(work: Path) -> Outcomes:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={PLENTY}", "tmpfs", str(work)]
    subprocess.run(mount, check=True)
    for title, how in SMALL.items():
        one = scene(work / title, **how)  # type: ignore[arg-type]
        paths = [path for path in (one.model, *one.model.rglob("*")) if path.is_file()]
        # A file system gives room by pages of 4 KiB.
        total = sum(-(-path.stat().st_size // 4096) * 4096 for path in paths)
        for share in (0.0, 0.5, 0.95, 1.5):
            one.reset()
            yield one.run(lambda command, room=int(share * total): squeezed(command, work, room))
        if one.job == "write":
            one.reset()
            yield one.run(lambda command: crowded(command, work))


def squeezed(command: list[str], work: Path, room: int) -> tuple[int, str, float]:
    """Run a job with so many bytes free on the disk."""
    disk = os.statvfs(work)
    used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    _resize(work, used + room)
    found = warm.run(command)
    _resize(work, PLENTY)
    return found


def crowded(command: list[str], work: Path) -> tuple[int, str, float]:
    """Run a job slowly; something else fills the disk after it has looked how much is free."""
    child = subprocess.Popen(
        [*command[:-1], "0.01"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.03)
    hog = work / "hog"
    with suppress(OSError):
        hog.write_bytes(bytes(PLENTY))
    _, error = child.communicate(timeout=60)
    hog.unlink()
    return child.returncode, error, 0.0


def _resize(work: Path, size: int) -> None:
    # A size of 0 would mean no limit.
    command = ["mount", "-o", f"remount,size={max(size, 4096)}", str(work)]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    found = [asdict(outcome) for outcome in on_small_disk(Path(sys.argv[1]))]
    sys.stdout.write(json.dumps(found))
