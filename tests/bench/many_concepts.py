"""How long a list of names takes, and how much memory: Stable Diffusion 1.5's real shapes.

Not a test: `python -m tests.bench.many_concepts FOLDER`. Builds the random fp16 folder of
`tests.bench.sd15` where it is not there yet, makes up lists of names, and solves and measures a
uce edit of each with `surgery apply --dry-run`, the whole process, next to one name alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from itertools import islice, product
from pathlib import Path

from tests.bench.sd15 import build

COUNTS = (1, 10, 100, 1734)
"""The last is the number of artists of Gandikota et al. 2024, arXiv 2308.14761."""

SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe")
RECIPE = """version: 1
name: many
edits:
  - method: uce
    concepts: {{from: {name}, kind: style, target: art}}
"""


def names(count: int) -> list[str]:
    """Made-up names of two words."""
    parts = product(SYLLABLES, repeat=4)
    return [f"{a}{b} {c}{d}" for a, b, c, d in islice(parts, count)]


def run(root: Path, work: Path, count: int) -> tuple[float, float, float]:
    """Seconds, seconds of one core, and peak gigabytes of one process."""
    (work / f"{count}.txt").write_text("\n".join(names(count)) + "\n", "utf-8")
    recipe = work / f"many{count}.yaml"
    recipe.write_text(RECIPE.format(name=f"{count}.txt"), "utf-8")
    command = [sys.executable, "-m", "surgery", "apply", str(recipe), "-m", str(root), "--dry-run"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"surgery ended with {os.waitstatus_to_exitcode(status)}")
    elapsed = time.perf_counter() - start
    return elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    asked = parser.parse_args()
    if not (asked.folder / "model_index.json").is_file():
        build(asked.folder)
    work = asked.folder.with_name(f"{asked.folder.name}-lists")
    work.mkdir(exist_ok=True)
    sys.stdout.write("names   seconds   of one core   peak memory\n")
    for count in asked.counts:
        seconds, busy, peak = run(asked.folder, work, count)
        sys.stdout.write(f"{count:5,}   {seconds:7.1f}   {busy:11.1f}   {peak:8.2f} GB\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
