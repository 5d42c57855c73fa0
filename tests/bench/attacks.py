"""How much of an erased concept comes back under each attack, for several edits of one style.

    python -m tests.bench.attacks [--recipes NAME ...] [--pictures N] [--keep FOLDER]

Every edit of `atelier` is made by its recipe and attacked by all that there is, with the default
budget. Attacks are chosen on seeds from 5,000,000 on; shares are of pictures with seeds from
9,000,000 on, with their 95 % intervals. Edited models in FOLDER are not made again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from surgery import apply, load_recipe, open_checkpoint
from surgery.adversary import Budget, attack
from surgery.judges.atelier import atelier_judge
from surgery.model import load_model
from surgery.questions import ask
from surgery.report.verify import Attack, Figure

RECIPES = ("remove_vangogh", "uce_vangogh", "locoedit_vangogh", "rece_vangogh")
CONCEPT = "van gogh"
HEAD = ("edit", "attack", "before", "edited", "under attack", "seconds", "best found")
SHELF = Path(__file__).parents[2] / "recipes"


def edited(recipe: str, keep: Path) -> Path:
    """The model that a recipe makes of `atelier`."""
    out = keep / recipe
    if not out.exists():
        apply(load_recipe(SHELF / f"{recipe}.yaml"), open_checkpoint("atelier"), out)
    return out


def attacked(recipe: str, budget: Budget, keep: Path) -> tuple[Attack, ...]:
    before, after = load_model("atelier"), load_model(edited(recipe, keep))
    question, judge = ask(CONCEPT, vocabulary="atelier"), atelier_judge()
    return attack(before, after, question, judge, budget=budget)


def percent(figure: Figure) -> str:
    return f"{figure.value:.0%} ({figure.low:.0%} to {figure.high:.0%})"


def row(recipe: str, one: Attack) -> list[str]:
    assert one.original
    shares = [percent(figure) for figure in (one.original, one.before, one.after)]
    return [recipe, one.name, *shares, f"{one.seconds:.0f}", "; ".join(one.found)]


def table(rows: Sequence[Sequence[str]]) -> str:
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument("--pictures", type=int, default=Budget().pictures)
    parser.add_argument("--keep", type=Path)
    wish = parser.parse_args()
    torch.set_num_threads(1)
    budget, began, rows = replace(Budget(), pictures=wish.pictures), time.monotonic(), []
    with tempfile.TemporaryDirectory() as scratch:
        for recipe in wish.recipes:
            found = attacked(recipe, budget, wish.keep or Path(scratch))
            rows += [row(recipe, one) for one in found]
            sys.stdout.write(f"{table(rows[-len(found) :])}\n\n")
            for line in dict.fromkeys(note for one in found for note in (one.tried, *one.notes)):
                sys.stdout.write(f"{recipe}: {line}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{table(rows)}\n\n{time.monotonic() - began:.0f} seconds in all\n")


if __name__ == "__main__":
    main()
