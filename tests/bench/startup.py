"""How long commands take to answer, against `hf --help`: tests/bench/startup.py [--runs N] [MODEL]

Runs are interleaved, so that a busy machine slows all alike; shown are medians and minima.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(sys.executable).parent
RUN = [sys.executable, "-c", "import sys; from surgery.cli import main; sys.exit(main())"]


def commands(model: str) -> dict[str, list[str]]:
    """What is timed, by name; `hf` is the one installed beside this Python."""
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "surgery --help": [*RUN, "--help"],
        "surgery recipe ls": [*RUN, "recipe", "ls"],
        f"surgery inspect {model}": [*RUN, "inspect", model],
        "hf --help": [str(HERE / "hf"), "--help"],
    }


def seconds(argv: list[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: exit code {done.returncode}: {done.stderr}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="atelier")
    parser.add_argument("--runs", type=int, default=11)
    options = parser.parse_args()
    timed: dict[str, list[float]] = {name: [] for name in commands(options.model)}
    for _ in range(options.runs):
        for name, argv in commands(options.model).items():
            timed[name].append(seconds(argv))
    baseline = statistics.median(timed["hf --help"])
    sys.stdout.write(f"{'command':40} {'median':>8} {'min':>8} {'of hf':>8}\n")
    for name, times in timed.items():
        median = statistics.median(times)
        shown = f"{median:7.3f}s {min(times):7.3f}s {median / baseline:7.2f}x"
        sys.stdout.write(f"{name:40} {shown}\n")


if __name__ == "__main__":
    main()
