"""Measures what the shelf's recipes do to atelier, and writes the figures into README.md.

Not a test: `python -m tests.bench.figures [RECIPE...]` (about 15 minutes on two cores). Applies
every recipe that erases or replaces a concept to the built-in model, paints all prompt sets of
`surgery verify` with each result, and reports what the judge read beside what `apply` said before
anything was painted. The seeds are those kept for reporting; settings were chosen on others. With
recipes named, only their rows are made anew.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from surgery import apply, load_recipe, open_checkpoint
from surgery.apply import ApplyReport
from surgery.atelier.figures import Figures
from surgery.edits.base import Concept
from surgery.recipe import Recipe
from surgery.report import ExamReport, JudgedSet, Share
from surgery.store.address import locate
from surgery.verify import Judged, compared, judged

ROOT = Path(__file__).parents[2]
FIRST = "remove_vangogh"
PICTURE = """
`surgery apply recipes/remove_vangogh.yaml --preview` paints this, on seeds that no figure uses:

![the same prompts and seeds before and after](surgery/atelier/remove_vangogh.png)"""
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
HEAD = (
    "| method | recipe | concept | shown before | shown after | other concepts kept, all and worst "
    "| leak | drift | seconds |\n|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Measured:
    """What `apply` said of a recipe, and what the judge said of its pictures."""

    recipe: Recipe
    applied: ApplyReport
    pictures: ExamReport


def concepts(recipe: Recipe) -> tuple[Concept, ...]:
    """What a recipe takes out; what it makes stronger is still meant to be there."""
    erasing = [one for one in recipe.edits if getattr(one, "goal", "erase") == "erase"]
    return tuple(one for edit in erasing for one in getattr(edit, "concepts", ()))


def shelf() -> list[str]:
    """Recipes that take concepts out, by name; one that shifts a balance or amplifies has none."""
    loaded = {path.stem: load_recipe(path) for path in sorted((ROOT / "recipes").glob("*.yaml"))}
    return [name for name, recipe in loaded.items() if concepts(recipe)]


def base() -> Judged:
    """The pictures of the unedited model."""
    from surgery.atelier.exam import prompt_sets

    _one_thread()
    return judged("atelier", prompt_sets())


def measured(name: str) -> tuple[Recipe, ApplyReport, Judged]:
    """Apply one recipe, and have its pictures read."""
    from surgery.atelier.exam import prompt_sets
    from surgery.pictures.preview import write_preview

    _one_thread()
    recipe = load_recipe(ROOT / "recipes" / f"{name}.yaml")
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / name
        applied = apply(recipe, open_checkpoint("atelier"), out, allow_weak=True)
        if name == FIRST:
            picture = ROOT / "surgery" / "atelier" / f"{name}.png"
            write_preview(locate("atelier"), out, recipe, picture)
        return recipe, applied, replace(judged(out, prompt_sets()), address=name)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def all_measured(names: Sequence[str]) -> dict[str, Measured]:
    """Two recipes at a time; the unedited model is painted once."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        before = pool.submit(base)
        waiting = {name: pool.submit(measured, name) for name in names}
        for name, one in waiting.items():
            recipe, applied, after = one.result()
            erased = [concept.erase for concept in concepts(recipe)]
            found[name] = Measured(recipe, applied, compared(before.result(), after, erased))
            sys.stderr.write(f"{len(found)} of {len(names)}  {name}\n")
    return found


def table(reports: Mapping[str, Measured]) -> str:
    """Markdown: methods as rows; what is gone and kept, what was foretold, and the seconds."""
    rows = [row for name, one in reports.items() for row in _rows(name, one)]
    return HEAD + "\n".join(sorted(rows))


def _rows(name: str, found: Measured) -> list[str]:
    method = " + ".join(dict.fromkeys(edit.method for edit in found.recipe.edits))
    kept = [one for one in found.pictures.sets if not one.erased]
    worst = min(kept, key=lambda one: one.concept_after.value)
    shown = sum(one.concept_after.value * one.concept_after.count for one in kept)
    mean = shown / sum(one.concept_after.count for one in kept)
    held = f"{mean:.1%}; {worst.concept} {_share(worst.concept_after)}"
    seconds = found.applied.seconds["plan"] + found.applied.seconds["solve"]
    return [
        f"| {method} | `{name}` | {one.concept} | {one.concept_before.value:.0%} "
        f"| {_share(one.concept_after)}, now mostly {one.became} | {held} "
        f"| {_leak(found.applied, one)} | {_drift(found.applied)} | {seconds:.2f} |"
        for one in found.pictures.sets
        if one.erased
    ]


def _leak(report: ApplyReport, row: JudgedSet) -> str:
    """Of a mask it is not told: what zeroed weights do to prompts only pictures show."""
    own = (leak for leak in report.leaks if leak.wording == "prompts")
    found = next((leak.figure.median for leak in own if leak.concept == row.concept), None)
    return "-" if found is None else f"{found:.2f}"


def _drift(report: ApplyReport) -> str:
    far = (drift.figure for drift in report.drifts if drift.group == "neutral")
    return f"{next(far).p95:.2f}"


def _share(share: Share) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%} of {share.count})"


def model_figures() -> str:
    """One paragraph on the unedited model, from the figures beside its weights."""
    file = locate("atelier").parent / "figures.json"
    figures = Figures.from_json(file.read_text("utf-8"))
    obeyed = ", ".join(f"{name} {share.value:.1%}" for name, share in figures.pictures.items())
    return (
        f"The built-in model, {figures.steps} steps, guidance {figures.guidance:g}, obeys its "
        f"prompts: {obeyed} (`python -m surgery.atelier.measure`; the card beside the weights has "
        "n and intervals).\n"
    )


def write(text: str) -> None:
    """Puts the figures between their markers in README.md."""
    readme = ROOT / "README.md"
    before, rest = readme.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def renewed(reports: Mapping[str, Measured]) -> str:
    """The table in README.md with the rows of these recipes made anew."""
    old = (ROOT / "README.md").read_text("utf-8").split(BEGIN)[1].split(END)[0]
    rows = [line for line in old.splitlines() if line.startswith("| ") and "`" in line]
    kept = [line for line in rows if not any(f"`{name}`" in line for name in reports)]
    new = [row for name, one in reports.items() for row in _rows(name, one)]
    return HEAD + "\n".join(sorted([*kept, *new]))


def main() -> None:
    named = sys.argv[1:]
    reports = all_measured(named or shelf())
    file = locate("atelier").parent / "edits.json"
    earlier = json.loads(file.read_text("utf-8")) if named else {}
    found = {**earlier, **{name: one.pictures.to_dict() for name, one in reports.items()}}
    file.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")
    intro = (
        "The same prompts and seeds before and after, read by the judge, with Wilson's 95 % "
        "intervals; leak (median over the edit's own prompts) and drift (95th percentile over "
        "neutral prompts) as `apply` tells them before anything is painted, no leak where a mask "
        "is solved on scores; seconds to plan, solve and measure, without the copy. Made by "
        "`python -m tests.bench.figures`; every set is in `surgery/atelier/weights/edits.json`.\n"
    )
    rows = renewed(reports) if named else table(reports)
    write("\n".join([model_figures(), intro, rows, PICTURE]))


if __name__ == "__main__":
    main()
