"""Shows that verify tells a sound edit from none, from a weak one and from a destructive one.

Not a test: `python -m tests.bench.verify [NAME...]` (about two minutes of one core for each). The
built-in model is edited in three ways, and each result, and the model itself, is verified with all
prompts and on the seeds that are kept for reporting. Printed is a table in Markdown: the gates that
were missed, by how much, and the figures behind them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from surgery import apply, load_recipe, open_checkpoint
from surgery.report import Figure, VerifyReport
from surgery.verify import Wish, verify

EDIT = """
version: 1
name: {name}
edits:
  - method: quickfix
    concepts: [{{erase: van gogh, target: painting, kind: style}}]
    {rest}
"""
KEEP = "preserve: [monet, seurat, mondrian, hokusai, picasso, pollock, escher]"
EDITS = {
    "sound": KEEP,
    "weak": f"{KEEP}\n    strength: 0.25",
    "destructive": "preserve_defaults: false",
}
HEAD = (
    "| edit | passed | missed gates | UA | IRA | CRA | harmonic mean | seconds |\n"
    "|---|---|---|---|---|---|---|---|"
)


def edited(name: str, folder: Path) -> str:
    """The address of a model: the built-in one, or an edit of it."""
    if name not in EDITS:
        return "atelier"
    recipe = load_recipe(EDIT.format(name=name, rest=EDITS[name]))
    apply(recipe, open_checkpoint("atelier"), folder / name, allow_weak=True)
    return str(folder / name)


def row(name: str, report: VerifyReport, seconds: float) -> str:
    missed = "; ".join(f"{gate.name} by {gate.missed_by:.1%}" for gate in report.missed) or "none"
    whole = report.summary
    shown = " | ".join(map(percent, (whole.ua, whole.ira, whole.cra, whole.harmonic)))
    return f"| {name} | {report.passed} | {missed} | {shown} | {seconds:.0f} |"


def percent(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%} of {figure.count})"


def main() -> None:
    sys.stdout.write(HEAD + "\n")
    with tempfile.TemporaryDirectory() as work:
        for name in sys.argv[1:] or ("sound", "untouched", "weak", "destructive"):
            began = time.monotonic()
            after = edited(name, Path(work))
            report = verify("atelier", after, wish=Wish(concepts=("van gogh",)))
            sys.stdout.write(row(name, report, time.monotonic() - began) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
