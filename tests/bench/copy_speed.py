"""Times write() of an edited copy against `cp -r` of the same model, interleaved, medians.

Not a test. Each run is a child process, so that its peak memory is its own:
`python tests/bench/copy_speed.py --size 1000000000` or `--folder PATH`.
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
from pathlib import Path

from surgery.store import TensorEntry, open_checkpoint, write
from surgery.store.header import build_header

_TENSOR = 768 * 768 * 2
_PIECE = 16 * 1024 * 1024


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


def edit_once(source: Path, out: Path) -> None:
    """Write `source` to `out` with its middle tensor replaced, in this process."""
    checkpoint = open_checkpoint(source)
    names = list(checkpoint)
    name = names[len(names) // 2]
    data = bytes(checkpoint[name].nbytes)
    write(checkpoint, {name: lambda: data}, out, metadata={"surgery.bench": "1"})


def child(source: Path, out: Path) -> None:
    """Time edit_once and report seconds and peak memory as JSON."""
    start = time.perf_counter()
    edit_once(source, out)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}))


def run_write(source: Path, out: Path) -> tuple[float, int]:
    """Return (seconds, peak bytes) of one write in a fresh process, its start-up not counted."""
    command = [sys.executable, __file__, "--child", str(source), str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return float(found["seconds"]), int(found["peak"])


def run_cp(source: Path, out: Path, *, sync: bool) -> float:
    """Return the seconds of `cp -r`, followed by a sync of the file system when asked."""
    start = time.perf_counter()
    subprocess.run(["cp", "-rL", "--reflink=never", source, out], check=True)
    if sync:
        subprocess.run(["sync", "-f", out], check=True)
    return time.perf_counter() - start


def measure(source: Path, work: Path, rounds: int) -> None:
    """Interleave the three ways and print median, spread and ratio of each."""
    times: dict[str, list[float]] = {"cp": [], "cp and sync": [], "write": []}
    peaks = []
    for _ in range(rounds + 1):
        for way, found in times.items():
            out = work / "out.safetensors"
            os.sync()
            if way == "write":
                seconds, peak = run_write(source, out)
                peaks.append(peak)
            else:
                seconds = run_cp(source, out, sync=way == "cp and sync")
            found.append(seconds)
            shutil.rmtree(out) if out.is_dir() else out.unlink()
    report({way: found[1:] for way, found in times.items()}, max(peaks))


def report(times: dict[str, list[float]], peak: int) -> None:
    """Print the table; the ratio is to the median of `cp` without a sync."""
    base = statistics.median(times["cp"])
    for way, found in times.items():
        middle = statistics.median(found)
        sys.stdout.write(
            f"{way:12} median {middle:7.3f} s  min {min(found):7.3f}  max {max(found):7.3f}"
            f"  n {len(found)}  {middle / base:5.2f} x cp\n"
        )
    sys.stdout.write(f"peak memory of write: {peak / 1e6:.0f} MB\n")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=float, default=1e9, help="bytes of the file to build")
    parser.add_argument("--folder", type=Path, help="measure this file or folder instead")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="where to write (default: the temporary folder)")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        source = options.folder
        if source is None:
            source = Path(folder) / "source.safetensors"
            build_file(source, int(options.size))
        measure(source.resolve(), Path(folder), options.rounds)


if __name__ == "__main__":
    main()
