"""What every probe costs, and how well the quick ones agree with the exact one.

    python -m tests.bench.probes [--keep FOLDER] [--concepts N] [--few N]

Each probe asks `atelier` by the command line, in a process of its own, with prompts and seeds that
no setting was chosen on. Costs are of the first few concepts; evaluations are denoiser runs on one
sample. Agreement is with LocoGen under each judge, at the size of
window that it settled on: whether the best window is the same, or within its 95 % interval of it,
and the rank correlation over all windows, its median over the first ten concepts (all of them for
atelier's own judge). What is in FOLDER already is not measured again.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surgery.layout import detect
from surgery.localise.chosen import chosen_probe, chosen_questions, completed, study_of
from surgery.localise.forecast import forecast
from surgery.localise.wish import Wish
from surgery.probes.windows import bounds, elsewhere
from surgery.report import ProbeReport, Score
from tests.helpers.agreement import spearman
from tests.helpers.dumps import dump

CONCEPTS = (
    "van gogh",
    "r2d2",
    "the flag of freedonia",
    "monet",
    "seurat",
    "mondrian",
    "hokusai",
    "picasso",
    "pollock",
    "escher",
    "heart",
    "the flag of ruritania",
    "moon",
    "star",
    "the flag of sylvania",
    "ball",
    "triangle",
    "ring",
    "cross",
    "ladder",
)
TEN = 10
RUNS = "--prompts 8 --seeds 2 --batch 40"
WINDOWS = {
    "locogen, judge atelier": f"--method locogen {RUNS}",
    "locogen, judge clip": f"--method locogen --judge clip {RUNS}",
    "locogen, judge noise": f"--method locogen --judge noise {RUNS}",
    "quick": "--method quick",
    "weights": "--method weights",
}
TRACES = {
    "trace_text": "--method trace_text --prompts 4 --seeds 1 --draws 3 --batch 40",
    "trace_unet": "--method trace_unet --prompts 4 --seeds 1 --draws 3 --batch 40",
}
REAL = {"SD-1.5": "sd1", "SDXL": "sdxl"}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one probe's windows compare with the exact ones."""

    same: bool
    close: bool
    rank: float


def asked(concept: str, probe: str, words: str, keep: Path) -> ProbeReport:
    """The report of one probe about one concept, measured unless it is kept."""
    file = keep / f"{concept}, {probe}.json".replace(" ", "_")
    if not file.exists():
        command = [sys.executable, "-m", "surgery", "probe", "atelier", "-c", concept]
        files = ["--report", str(file), "--journal", str(keep / "journal.jsonl"), "--fresh"]
        subprocess.run([*command, *words.split(), *files], check=True, capture_output=True)
    return ProbeReport.from_json(file.read_text(encoding="utf-8"))


def sized(report: ProbeReport, sites: Sequence[str]) -> list[Score] | None:
    """A report's scores of the windows named; None where it tried others."""
    found = {one.site: one for one in (*report.smaller, *report.scores)}
    return [found[site] for site in sites] if all(site in found for site in sites) else None


def agreement(exact: ProbeReport, other: ProbeReport) -> Agreement | None:
    """None where the other tried no windows of that size."""
    windows = exact.scores
    theirs = sized(other, [one.site for one in windows])
    if theirs is None:
        return None
    truth = np.array([one.effect for one in windows])
    told = np.array([one.effect for one in theirs])
    best, top = int(truth.argmax()), int(told.argmax())
    high = windows[top].high
    close = top == best or (high is not None and high >= truth[best])
    return Agreement(top == best, close, spearman(truth, told))


def cost_row(name: str, reports: Sequence[ProbeReport]) -> list[str]:
    costs = [one.cost for one in reports if one.cost]
    return [
        name,
        f"{statistics.median(one.evaluations for one in costs):,.0f}",
        f"{statistics.median(one.seconds for one in costs):.1f}",
        f"{max(one.peak_mb for one in costs):,.0f}",
    ]


def agreement_cell(pairs: Sequence[Agreement | None]) -> str:
    found = [one for one in pairs if one is not None]
    if not found:
        return "-"
    ranks = [one.rank for one in found if not np.isnan(one.rank)]
    same, close = sum(one.same for one in found), sum(one.close for one in found)
    return f"{same} ({close}) of {len(found)}, {statistics.median(ranks):.2f}"


def agreements(reports: Mapping[str, Sequence[ProbeReport]]) -> list[list[str]]:
    """A row for each probe of windows: how it agrees with the exact one under each judge."""
    exact = {name: found for name, found in reports.items() if name.startswith("locogen")}
    rows = []
    for name, found in reports.items():
        pairs = [
            [agreement(a, b) for a, b in zip(truth, found, strict=False)]
            for truth in exact.values()
        ]
        same = [name == other for other in exact]
        rows.append(
            [name, *("" if s else agreement_cell(p) for s, p in zip(same, pairs, strict=True))]
        )
    return rows


def measured(keep: Path, concepts: Sequence[str]) -> dict[str, list[ProbeReport]]:
    """The reports of every probe of windows, concept by concept."""
    return {
        name: [
            asked(one, name, words, keep)
            for one in (concepts if "--judge" not in words else concepts[:TEN])
        ]
        for name, words in WINDOWS.items()
    }


def share(score: Score) -> str:
    assert score.shown is not None
    return f"{score.shown.value:.0%} ({score.shown.low:.0%} to {score.shown.high:.0%})"


def windows(reports: Sequence[ProbeReport]) -> list[list[str]]:
    """What the exact probe found: the window, and what is shown with and without it."""
    rows = []
    for one in reports:
        scores = {score.site: score for score in one.scores}
        rest = elsewhere(one.found, one.scores) or elsewhere(one.found, one.smaller)
        least = min((score for score in rest), key=lambda s: s.shown.value if s.shown else 1.0)
        first, stop = bounds(one.found)
        layers = f"{first} to {stop - 1}" if stop > first + 1 else f"{first}"
        rows.append(
            [one.concept, layers, share(one.anchors[0]), share(scores[one.found]), share(least)]
        )
    return rows


def counted() -> list[list[str]]:
    """Evaluations for one prompt and seed on models of real shape, from their structure."""
    rows = []
    for method in ("locogen", "quick", "trace_unet", "trace_text", "weights"):
        open_wish = Wish("van gogh", method=method, prompts=1, seeds=1, draws=1, noise=3.0)
        wish = completed(open_wish, "world", "cpu")
        cells = []
        for model in REAL.values():
            real = dump(model)
            layout = detect(real.tensors, real.configs)
            study = study_of(wish, *chosen_questions(wish, "world"))
            one = forecast(chosen_probe(wish, layout), layout, study)
            cells.append(f"{one.evaluations:,}")
        rows.append([method, *cells])
    return rows


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--concepts", type=int, default=len(CONCEPTS))
    parser.add_argument("--few", type=int, default=3)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        keep = wish.keep or Path(scratch)
        keep.mkdir(parents=True, exist_ok=True)
        reports = measured(keep, CONCEPTS[: wish.concepts])
        few = CONCEPTS[: wish.few]
        traced = {name: [asked(c, name, w, keep) for c in few] for name, w in TRACES.items()}
    costs = [cost_row(name, found[: wish.few]) for name, found in {**reports, **traced}.items()]
    exact = [name for name in reports if name.startswith("locogen")]
    found = ["concept", "layers", "shown", "shown without them", "least shown without others"]
    for head, rows in (
        (found, windows([one for one in reports[exact[0]] if one.found])),
        (["probe", "evaluations", "seconds", "MB"], costs),
        (["agreement", *exact], agreements(reports)),
        (["one prompt, one seed", *REAL], counted()),
    ):
        sys.stdout.write(f"{table(head, rows)}\n\n")


if __name__ == "__main__":
    main()
