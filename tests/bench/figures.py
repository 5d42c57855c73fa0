"""Measures what the shelf's recipes do to atelier, and writes the figures into README.md.

Not a test: `python -m tests.bench.figures` (about 15 minutes on two cores). Applies every recipe to
the built-in model, paints all prompt sets of `surgery verify` with each result, and reports what
the judge read. The seeds are those kept for reporting; settings were chosen on others.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from surgery import apply, load_recipe, open_checkpoint
from surgery.atelier.exam import prompt_sets
from surgery.atelier.figures import Figures
from surgery.report import JudgedSet, Share, VerifyReport
from surgery.reports.preview import write_preview
from surgery.store.address import locate
from surgery.verify import compared, judged

ROOT = Path(__file__).parents[2]
RECIPES = ("remove_vangogh", "remove_r2d2", "update_flag_of_freedonia", "remove_three_artists")
PICTURE = """
`surgery apply recipes/remove_vangogh.yaml --preview` paints this, on seeds that no figure uses:

![the same prompts and seeds before and after](surgery/atelier/remove_vangogh.png)"""
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"


def measured(work: Path) -> dict[str, VerifyReport]:
    """Applies and verifies each recipe; the unedited model is painted once."""
    before = judged("atelier", prompt_sets())
    reports = {}
    for name in RECIPES:
        recipe = load_recipe(ROOT / "recipes" / f"{name}.yaml")
        apply(recipe, open_checkpoint("atelier"), work / name)
        erased = [one.erase for edit in recipe.edits for one in getattr(edit, "concepts", ())]
        if name == "remove_vangogh":
            folders = locate("atelier"), work / name
            write_preview(*folders, recipe, ROOT / "surgery" / "atelier" / f"{name}.png")
        after = replace(judged(work / name, prompt_sets()), address=name)
        reports[name] = compared(before, after, erased)
        sys.stderr.write(f"{name}: {'passed' if reports[name].passed else 'missed a gate'}\n")
    return reports


def table(reports: dict[str, VerifyReport]) -> str:
    """Markdown: for each recipe the erased concepts, and the kept ones at their worst."""
    head = (
        "| recipe | concept | shown before | shown after | now mostly | kept concepts, worst after "
        "| things in its prompts, before and after |\n|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(_rows(reports))


def _rows(reports: dict[str, VerifyReport]) -> list[str]:
    rows = []
    for name, report in reports.items():
        kept = min(
            (one for one in report.sets if not one.erased),
            key=lambda one: one.concept_after.value,
        )
        worst = f"{kept.concept} {_share(kept.concept_after)}"
        for one in (one for one in report.sets if one.erased):
            rows.append(
                f"| `{name}` | {one.concept} | {_share(one.concept_before)} "
                f"| {_share(one.concept_after)} | {one.became} | {worst} | {_things(one)} |"
            )
    return rows


def _things(row: JudgedSet) -> str:
    if row.sort != "style":
        return ""
    return f"{row.thing_before.value:.0%}, {row.thing_after.value:.0%}"


def _share(share: Share) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%} of {share.count})"


def base() -> str:
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


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        reports = measured(Path(work))
    plain = {name: report.to_dict() for name, report in reports.items()}
    (locate("atelier").parent / "edits.json").write_text(json.dumps(plain, indent=1) + "\n")
    intro = (
        "The same prompts and seeds before and after, read by the judge; 95 % intervals "
        "(Wilson). Made by `python -m tests.bench.figures`; every set is in "
        "`surgery/atelier/weights/edits.json`.\n"
    )
    write("\n".join([base(), intro, table(reports), PICTURE]))


if __name__ == "__main__":
    main()
