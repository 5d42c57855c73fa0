"""Times writing an edited copy against `cp` of the same model, interleaved, medians. Not a test.

`python -m tests.bench.copy_speed` makes a file of 4.27 GB and measures it warm and cold, each up to
the page cache (warm also with checksums) and up to the disk, then one of 1 GB on XFS and btrfs in
mounted files, where blocks are shared. `--model PATH` measures a file or folder of your own,
`--size` a smaller file. Each run is a child process, so that its peak memory is its own; its
start-up is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from surgery.store import TensorEntry, open_checkpoint, write
from surgery.store.digest import Algorithm
from surgery.store.early import EarlyWriting
from surgery.store.header import build_header
from tests.helpers.reflink import mounted, why_not

_TENSOR = 768 * 768 * 2
_PIECE = 16 * 1024 * 1024
_SHARED_SIZE = 10**9
CHILD = "from tests.bench.copy_speed import child; import sys; child(*sys.argv[1:])"
Way = Callable[[Path, Path], float]


def build_file(path: Path, size: int) -> None:
    """Write a safetensors file of about `size` bytes of random fp16 matrices."""
    count = max(1, size // _TENSOR)
    spans = [(index * _TENSOR, (index + 1) * _TENSOR) for index in range(count)]
    entries = [
        TensorEntry(f"layer.{index:05d}.weight", "F16", (768, 768), *span)
        for index, span in enumerate(spans)
    ]
    noise = os.urandom(_PIECE)
    with path.open("wb") as file:
        file.write(build_header(entries, {"format": "pt"}))
        left = count * _TENSOR
        while left:
            left -= file.write(noise[: min(left, _PIECE)])


def child(source: str, out: str, sync: str, checksum: Algorithm | Literal[""]) -> None:
    """Write a copy with the middle tensor replaced; print seconds and peak memory as JSON."""
    if not sync:
        # What is then left to time is what `cp` does.
        os.fsync = lambda descriptor: None
        EarlyWriting.reached = lambda self, position: None  # type: ignore[method-assign]
    start = time.perf_counter()
    checkpoint = open_checkpoint(source)
    names = list(checkpoint)
    name = names[len(names) // 2]
    data = bytes(checkpoint[name].nbytes)
    metadata = {"surgery.bench": "1"}
    write(checkpoint, {name: lambda: data}, Path(out), metadata=metadata, checksum=checksum or None)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}))


class Writing:
    """A write in a process of its own; remembers the highest peak memory of all."""

    def __init__(self, checksum: str = "") -> None:
        self.checksum = checksum
        self.peak = 0

    def __call__(self, source: Path, out: Path, *, sync: bool) -> float:
        words = [str(source), str(out), "sync" if sync else "", self.checksum]
        command = [sys.executable, "-c", CHILD, *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        self.peak = max(self.peak, found["peak"])
        return float(found["seconds"])


def cp(source: Path, out: Path, *, sync: bool) -> float:
    """Seconds of `cp -r`, then of bringing its files to the disk when asked."""
    start = time.perf_counter()
    subprocess.run(["cp", "-rL", "--reflink=never", source, out], check=True)
    if sync:
        files = [path for path in (out, *out.rglob("*")) if path.is_file()]
        subprocess.run(["sync", *files], check=True)
    return time.perf_counter() - start


def cold(way: Way, source: Path, out: Path) -> float:
    """Seconds of a way after the source's pages were dropped, so that it is read from the disk."""
    for path in (source, *source.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return way(source, out)


def measure(
    source: Path, out: Path, ways: Mapping[str, Way], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each way, interleaved, in turning order; the first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            os.sync()
            seconds = ways[name](source, out)
            shutil.rmtree(out) if out.is_dir() else out.unlink()
            if number:
                times[name].append(seconds)
    return times


def report(title: str, times: Mapping[str, list[float]]) -> None:
    """Print one row a way; the first way is the baseline of the others."""
    base = statistics.median(next(iter(times.values())))
    for way, found in times.items():
        middle = statistics.median(found)
        sys.stdout.write(
            f"{title:32}{way:9} median {middle:7.3f} s  min {min(found):7.3f}"
            f"  max {max(found):7.3f}  n {len(found)}  {middle / base:5.2f} x cp\n"
        )
    sys.stdout.flush()


def here(source: Path, out: Path, rounds: int) -> None:
    """Measure where the source lies: warm and cold, up to the page cache and up to the disk."""
    writing = Writing()
    for title, sync, is_cold in (
        ("warm, to the page cache", False, False),
        ("warm, to the disk", True, False),
        ("cold, to the page cache", False, True),
        ("cold, to the disk", True, True),
    ):
        ways: dict[str, Way] = {"cp": partial(cp, sync=sync), "edited": partial(writing, sync=sync)}
        if is_cold:
            ways = {name: partial(cold, way) for name, way in ways.items()}
        if not (sync or is_cold):
            ways |= {f"+ {name}": partial(Writing(name), sync=sync) for name in ("xxh3", "sha256")}
        report(title, measure(source, out, ways, rounds))
    sys.stdout.write(f"peak memory of an edited copy: {writing.peak / 1e6:.0f} MB\n")


def shared(kind: str, folder: Path, rounds: int) -> None:
    """Measure on a file system that shares blocks, or say why that is left out."""
    if reason := why_not(kind):
        sys.stdout.write(f"{kind}: left out, {reason}\n")
        return
    try:
        with mounted(kind, folder, 4 * _SHARED_SIZE) as place:
            source = place / "source.safetensors"
            build_file(source, _SHARED_SIZE)
            for title, sync in (("to the page cache", False), ("to the disk", True)):
                ways = {"cp": partial(cp, sync=sync), "edited": partial(Writing(), sync=sync)}
                found = measure(source, place / "out.safetensors", ways, rounds)
                report(f"{kind}, 1 GB, {title}", found)
    except OSError as error:
        sys.stdout.write(f"{kind}: left out, {error}\n")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=float, default=4.27e9, help="bytes of the file to build")
    parser.add_argument("--model", type=Path, help="measure this file or folder instead")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="where to write (default: the temporary folder)")
    parser.add_argument("--only", choices=("here", "xfs", "btrfs"), help="one part of it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        if options.only in (None, "here"):
            source = options.model or folder / "source.safetensors"
            if options.model is None:
                build_file(source, int(options.size))
            here(source.resolve(), folder / "out.safetensors", options.rounds)
            (folder / "source.safetensors").unlink(missing_ok=True)
        for kind in ("xfs", "btrfs"):
            if options.only in (None, kind):
                shared(kind, folder, options.rounds)
    sys.stdout.write(f"load at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")


if __name__ == "__main__":
    main()
