"""The shared-map engine against one solve per matrix, on random weights of real shapes.

    python -m tests.bench.closed_form [--model sd15|sdxl] [--concepts 1 10 100 1000] [--runs 3]

Compared, interleaved, on the same matrices and keys (4 prompts per concept):
  loop      per matrix: normal equations summed key by key, explicit float32 inverse (UCE's code)
  inverse   per matrix: normal equations as one product, explicit float32 inverse (LocoEdit's code)
  engine    one float64 solve for all matrices, then each matrix times its thin factors in float32
  product   no solve at all: every matrix times one given square map, the floor of a dense edit
`loop` is timed on every LOOP-th matrix and scaled by the matrices' sizes, and left out above
LONGEST keys, where it takes hours. Errors are those of the
change, |dW - dW64| / |dW64|, against float64 normal equations, the worst of the matrices checked.
Keys imitate CLIP's: length 28, a large common part, two outlier dimensions; ridge 0.5 as in UCE.
"""

from __future__ import annotations

import argparse
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from surgery.edits.delta import Mapped
from surgery.numerics.closed_form import Keys, shared_map

PROMPTS, RIDGE, LENGTH, LOOP, LONGEST = 4, 0.5, 28.0, 70, 400
SHAPES = {
    "sd15": (768, {320: 10, 640: 10, 1280: 12}),
    "sdxl": (2048, {640: 20, 1280: 120}),
}


@dataclass(frozen=True)
class Task:
    """The rows of one edit, float32: what is read, and what it should be read as."""

    keys: np.ndarray
    targets: np.ndarray


def task(concepts: int, width: int) -> Task:
    draw = np.random.default_rng(concepts)
    common = draw.standard_normal(width)
    common[:2] += 12 * np.sqrt(width)

    def states(count: int) -> np.ndarray:
        rows = common + 0.45 * np.linalg.norm(common) / np.sqrt(width) * draw.standard_normal(
            (count, width)
        )
        return (LENGTH * rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    return Task(states(concepts * PROMPTS), np.repeat(states(concepts), PROMPTS, axis=0))


def matrices(model: str) -> Iterator[np.ndarray]:
    """Weights made when they are asked for, so that none but the current one is in memory."""
    width, shapes = SHAPES[model]
    draw = np.random.default_rng(0)
    for rows, count in shapes.items():
        for _ in range(count):
            yield draw.standard_normal((rows, width), dtype=np.float32) / np.float32(width**0.5)


def loop(weight: np.ndarray, given: Task) -> np.ndarray:
    width = weight.shape[1]
    wanted = np.float32(RIDGE) * weight
    covered = np.float32(RIDGE) * np.eye(width, dtype=np.float32)
    for key, target in zip(given.keys, given.targets, strict=True):
        wanted += np.outer(weight @ target, key)
        covered += np.outer(key, key)
    return wanted @ np.linalg.inv(covered)


def inverse(weight: np.ndarray, given: Task) -> np.ndarray:
    width = weight.shape[1]
    wanted = np.float32(RIDGE) * weight + (weight @ given.targets.T) @ given.keys
    covered = np.float32(RIDGE) * np.eye(width, dtype=np.float32) + given.keys.T @ given.keys
    return wanted @ np.linalg.inv(covered)


def exact(weight: np.ndarray, given: Task) -> np.ndarray:
    """The change in float64, by solving the normal equations."""
    keys, targets = given.keys.astype(np.float64), given.targets.astype(np.float64)
    covered = RIDGE * np.eye(weight.shape[1]) + keys.T @ keys
    missing = (weight.astype(np.float64) @ (targets - keys).T) @ keys
    return np.linalg.solve(covered, missing.T).T


def engine_map(given: Task) -> Mapped:
    count, width = given.keys.shape
    keys = given.keys.astype(np.float64)
    none = np.zeros((0, width))
    held = Keys(keys, np.ones(count), none, np.zeros(0), RIDGE)
    return Mapped(*shared_map(given.targets.astype(np.float64), held))


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def one_run(model: str, given: Task) -> dict[str, float]:
    """Seconds of every way over all matrices; making the matrices is not counted."""
    width = SHAPES[model][0]
    dense = np.eye(width, dtype=np.float32)
    seconds = dict.fromkeys(("loop", "inverse", "engine", "product"), 0.0)
    began = time.perf_counter()
    edit = engine_map(given)
    edit = Mapped(
        edit.left.astype(np.float32), None if edit.right is None else edit.right.astype(np.float32)
    )
    seconds["engine"] += time.perf_counter() - began
    sampled = total = 0
    for number, weight in enumerate(matrices(model)):
        total += weight.size
        if number % LOOP == 0 and len(given.keys) <= LONGEST:
            sampled += weight.size
            seconds["loop"] += timed(lambda weight=weight: loop(weight, given))
        seconds["inverse"] += timed(lambda weight=weight: inverse(weight, given))
        seconds["engine"] += timed(lambda weight=weight: edit.added_to(weight))
        seconds["product"] += timed(lambda weight=weight: weight @ dense)
    seconds["loop"] = seconds["loop"] * total / sampled if sampled else float("nan")
    return seconds


def errors(model: str, given: Task) -> dict[str, float]:
    """The worst relative error of the change over the first matrix of each shape."""
    edit, worst, seen = engine_map(given), dict.fromkeys(("inverse", "engine"), 0.0), set()
    for weight in matrices(model):
        if weight.shape in seen:
            continue
        seen.add(weight.shape)
        truth = exact(weight, given)
        found = {"inverse": inverse(weight, given), "engine": edit.added_to(weight)}
        for way, value in found.items():
            missed = np.linalg.norm(value.astype(np.float64) - weight - truth)
            worst[way] = max(worst[way], float(missed / np.linalg.norm(truth)))
    return worst


def _shown(seconds: float) -> str:
    return "-" if math.isnan(seconds) else f"{seconds:.2f}s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=SHAPES, nargs="+", default=list(SHAPES))
    parser.add_argument("--concepts", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    head = f"{'model':6}{'concepts':>9}{'keys':>6}{'loop':>9}{'inverse':>9}{'engine':>9}"
    more = f"{'product':>9}{'x loop':>8}{'x inv.':>8}{'/ prod.':>8}{'err inv.':>10}{'err eng.':>10}"
    sys.stdout.write(f"{head}{more}\n")
    for model in options.model:
        for concepts in options.concepts:
            given = task(concepts, SHAPES[model][0])
            runs = [one_run(model, given) for _ in range(options.runs)]
            took = {way: statistics.median(run[way] for run in runs) for way in runs[0]}
            spread = [run["engine"] for run in runs]
            missed = errors(model, given)
            line = f"{model:6}{concepts:9}{len(given.keys):6}"
            line += "".join(
                f"{_shown(took[way]):>9}" for way in ("loop", "inverse", "engine", "product")
            )
            line += "".join(f"{took[way] / took['engine']:8.1f}" for way in ("loop", "inverse"))
            line += f"{took['engine'] / took['product']:8.2f}"
            line += f"{missed['inverse']:10.1e}{missed['engine']:10.1e}"
            line += f"   engine {min(spread):.2f}-{max(spread):.2f} s"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"peak memory of the whole benchmark: {peak:.0f} MB\n")


if __name__ == "__main__":
    main()
