"""How long `surgery inspect` takes on the header of a 7 GB file, and what it imports.

Not a test. `python -m tests.bench.inspect_speed [--runs N]` writes Stable Diffusion XL's real names
and shapes as one sparse file, so that the disk holds the header only. Shown are the whole process
and, in between and in the same run, Python alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from math import prod
from pathlib import Path

from surgery.store import TensorEntry
from surgery.store.header import build_header
from tests.helpers.dumps import dump

LIMIT = 0.5
HEAVY = ("torch", "numpy", "diffusers", "transformers", "safetensors", "huggingface_hub")
RUN = "import sys; from surgery.cli import main; code = main(); "
NAMED = f"sys.stderr.write(','.join(m for m in {HEAVY!r} if m in sys.modules)); sys.exit(code)"


def write_sparse(path: Path, name: str = "sdxl-sgm") -> int:
    """Write the header of a real structure in F16 before a hole; returns how many tensors."""
    entries, end = [], 0
    shapes = {tensor: ref.shape for tensor, ref in dump(name).tensors.items()}
    for tensor, shape in shapes.items():
        begin, end = end, end + 2 * prod(shape)
        entries.append(TensorEntry(tensor, "F16", shape, begin, end))
    header = build_header(entries, {"format": "pt"})
    path.write_bytes(header)
    os.truncate(path, len(header) + end)
    return len(entries)


def measure(command: list[str]) -> tuple[float, float, str]:
    """Seconds of wall clock, seconds of processor, and what came on stderr."""
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    after, ended = os.times(), time.perf_counter()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return ended - began, used, done.stderr.decode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sdxl.safetensors"
        count, total = write_sparse(path), path.stat().st_size
        python = [sys.executable, "-c"]
        ways = {
            "python -c pass": [*python, "pass"],
            "inspect": [*python, RUN + NAMED, "inspect", str(path)],
            "inspect --format json": [
                *python,
                RUN + NAMED,
                "inspect",
                "--format",
                "json",
                str(path),
            ],
        }
        found = {name: [measure(way)] for name, way in ways.items()}
        for _ in range(runs):
            for name, way in ways.items():
                found[name].append(measure(way))
    sys.stdout.write(f"a file of {total / 1e9:.1f} GB, {count} tensors, {runs} interleaved runs\n")
    for name, times in found.items():
        wall, used = (statistics.median(run[part] for run in times[1:]) for part in (0, 1))
        heavy = times[0][2] or "none"
        sys.stdout.write(
            f"{name:24} {wall:.3f} s, {used:.3f} s of processor; heavy imports: {heavy}\n"
        )
    slowest = max(statistics.median(run[0] for run in times[1:]) for times in found.values())
    return 0 if slowest < LIMIT and not any(times[0][2] for times in found.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
