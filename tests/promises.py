"""What surgery promises, and which tests and figures show each: python -m tests.promises [--run]

`--run` runs the named tests and says for each promise whether it held. A promise without a figure
command is a yes or no; `lacks` says what of it nothing shows yet.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.promised import PROMISES

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, as TABLE in `tests.promised` holds it.

    Args:
        tests: `file::test` beneath tests/.
        figure: the command that prints its figure, or nothing where the tests are the figure.
        lacks: what of it is not shown yet.
    """

    number: int
    text: str
    tests: tuple[str, ...]
    figure: str
    lacks: str


def promises() -> Iterator[Promise]:
    for number, (text, tests, figure, lacks) in enumerate(PROMISES, 1):
        yield Promise(number, text, tuple(tests.split()), figure, lacks)


def failed(tests: tuple[str, ...]) -> set[str]:
    """Run tests in one process; the names, without parameters, of those that did not pass."""
    words = [sys.executable, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider"]
    named = [f"tests/{test}" for test in tests]
    done = subprocess.run([*words, *named], cwd=ROOT, capture_output=True, text=True)
    ends = ("FAILED ", "ERROR ")
    bad = {line.split()[1] for line in done.stdout.splitlines() if line.startswith(ends)}
    if done.returncode and not bad:
        raise SystemExit(done.stdout + done.stderr)
    return {name.partition("[")[0].removeprefix("tests/") for name in bad}


def page(promise: Promise, wrong: set[str] | None) -> str:
    head = f"P{promise.number}  {promise.text}"
    if wrong is not None:
        head += "  " + ("FAILED" if wrong & set(promise.tests) else "held")
    lines = [head, *(f"      {test}" for test in promise.tests)]
    lines += [f"      figure: {promise.figure}"] if promise.figure else []
    lines += [f"      lacks: {promise.lacks}"] if promise.lacks else []
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", action="store_true", help="run the tests as well")
    parser.add_argument("--only", type=int, nargs="*", help="these promises, by number")
    options = parser.parse_args()
    chosen = [one for one in promises() if not options.only or one.number in options.only]
    wrong = None
    if options.run:
        wrong = failed(tuple(dict.fromkeys(test for one in chosen for test in one.tests)))
    for one in chosen:
        sys.stdout.write(page(one, wrong))
    shown = sum(not one.lacks for one in chosen)
    sys.stdout.write(f"{shown} of {len(chosen)} promises are shown whole\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
