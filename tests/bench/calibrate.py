"""Do leak and drift, known before anything is painted, foretell what pictures show?

    python -m tests.bench.calibrate [--pictures 8] [--purpose report|choose] [--workers 2]

Edits of the built-in model by several methods, concepts and strengths; for each the figures of
`apply`, and what the shipped judge reads in pictures of the erased concept and of all others.
Figures that some edits lack (one that holds nothing has no drift of what it holds) are left out.
Reported is Spearman's rank correlation over the edits, with a 95 % interval from 2,000 bootstrap
samples of edits: of each leak with the share of pictures that still show the concept, of each drift
with the share of pictures of other concepts that the edit cost.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
CONCEPTS = (
    ("van gogh", "painting", "style", "cross_attn.{k,v}[2:5]"),
    ("r2d2", "star", "object", "cross_attn.{k,v}[5]"),
    ("the flag of freedonia", "the flag of ruritania", "fact", "cross_attn.{k,v}[4:6]"),
)
METHODS = ("quickfix", "uce", "locoedit", "uce without preserving")


@dataclass(frozen=True)
class Trial:
    """One edit and what came of it: figures by name, and shares of pictures."""

    name: str
    leaks: Mapping[str, float]
    drifts: Mapping[str, float]
    visible: float
    lost: float


def recipes() -> list[tuple[str, str, str]]:
    """(name, concept, YAML) of every edit."""
    made = []
    for erase, target, kind, window in CONCEPTS:
        for method in METHODS:
            for strength in STRENGTHS:
                plain, _, bare = method.partition(" ")
                lines = [
                    f"version: 1\nname: trial\nedits:\n  - method: {plain}",
                    f"    concepts: [{{erase: {erase}, target: {target}, kind: {kind}}}]",
                    f"    strength: {strength}",
                ]
                lines += [f'    where: "{window}"'] if plain == "locoedit" else []
                lines += ["    preserve_defaults: false"] if bare else []
                made.append((f"{method} {strength} {erase}", erase, "\n".join(lines) + "\n"))
    return made


def tried(given: tuple[str, str, str], before: float, *, pictures: int, purpose: str) -> Trial:
    """Apply one recipe and read the pictures of its result.

    Args:
        before: the share of other concepts' pictures that the unedited model gets right.
    """
    import torch

    from surgery import apply, load_recipe, open_checkpoint
    from surgery.report import Leak

    torch.set_num_threads(1)
    name, concept, text = given
    with tempfile.TemporaryDirectory() as work:
        report = apply(load_recipe(text), open_checkpoint("atelier"), Path(work) / "out")
        gone, kept = shares(str(Path(work) / "out"), concept, pictures, purpose)

    def spread(wanted: Callable[[Leak], bool], measure: str) -> float:
        rows = [getattr(leak.figure, measure) for leak in report.leaks if wanted(leak)]
        return float(np.median(rows))

    leaks = {
        "own prompts, median": spread(lambda leak: leak.wording == "prompts", "median"),
        "own prompts, largest": spread(lambda leak: leak.wording == "prompts", "max"),
        "end token, median": spread(lambda leak: leak.wording == "end token", "median"),
        "other wordings, median": spread(lambda leak: leak.wording != "prompts", "median"),
    }
    drifts = {
        f"{drift.group}, {measure}": float(getattr(drift.figure, measure))
        for drift in report.drifts
        for measure in ("median", "p95")
    }
    return Trial(name, leaks, drifts, gone, before - kept)


def shares(model: str, concept: str, pictures: int, purpose: str) -> tuple[float, float]:
    """Shares of pictures that show the concept, and that show what other prompts ask for."""
    from surgery.atelier.exam import prompt_sets
    from surgery.verify import judged

    sets = [one.first(pictures) for one in prompt_sets()]
    seen = judged(model, sets, "choose" if purpose == "choose" else "report").sets
    kept = [one for one in seen if one.asked.concept != concept]
    gone = next(one.concept for one in seen if one.asked.concept == concept)
    return gone, sum(one.concept * one.count for one in kept) / sum(one.count for one in kept)


def ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 0, ties sharing their mean."""
    array = np.asarray(values)
    _, group, count = np.unique(array, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return ((ends - count + ends - 1) / 2)[group]


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    one, other = ranks(first), ranks(second)
    return float(np.corrcoef(one, other)[0, 1]) if one.std() and other.std() else float("nan")


def interval(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    draw, one, other = np.random.default_rng(0), np.asarray(first), np.asarray(second)
    found = []
    for _ in range(2000):
        rows = draw.integers(len(one), size=len(one))
        found.append(spearman(one[rows], other[rows]))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def table(trials: Sequence[Trial]) -> str:
    """Markdown: one row for each figure."""
    lines = ["| figure | foretells | rank correlation | 95 % interval |", "|---|---|---|---|"]
    for part, fate, outcome in (
        ("leaks", "concept still visible", [one.visible for one in trials]),
        ("drifts", "other pictures lost", [one.lost for one in trials]),
    ):
        for name in sorted(set.intersection(*(set(getattr(one, part)) for one in trials))):
            figures = [getattr(one, part)[name] for one in trials]
            low, high = interval(figures, outcome)
            found = f"{spearman(figures, outcome):.2f} | {low:.2f} to {high:.2f}"
            lines.append(f"| {part[:-1]}: {name} | {fate} | {found} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--purpose", choices=("report", "choose"), default="report")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--save", type=Path, help="Keep every edit's figures as JSON here.")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    wanted = recipes()
    base = {c[0]: shares("atelier", c[0], options.pictures, options.purpose)[1] for c in CONCEPTS}
    run = partial(tried, pictures=options.pictures, purpose=options.purpose)
    trials: list[Trial] = []
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for trial in pool.map(run, wanted, [base[given[1]] for given in wanted]):
            trials.append(trial)
            line = f"{trial.name}: visible {trial.visible:.0%}, lost {trial.lost:.1%}"
            sys.stderr.write(f"{len(trials)} of {len(wanted)}  {line}\n")
    if options.save:
        options.save.write_text(json.dumps([asdict(trial) for trial in trials], indent=1))
    kinds = f"{len(trials)} edits, up to {options.pictures} pictures of each of 21 prompt sets"
    sys.stdout.write(f"{kinds}\n\n{table(trials)}\n")


if __name__ == "__main__":
    main()
