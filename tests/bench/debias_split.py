"""The share of each attribute before and after `uce_fair_ladders`, on the reporting seeds.

Not a test: `python -m tests.bench.debias_split [PICTURES]` paints so many pictures with atelier and
with the edited atelier and lets the judge count. The amounts in the recipe were found on others.
"""

from __future__ import annotations

import sys
from pathlib import Path

from surgery import load_recipe, open_checkpoint
from surgery.atelier.census import census
from surgery.edits.uce import Uce
from surgery.recipe import Recipe
from surgery.report import Share

RECIPE = Path(__file__).parents[2] / "recipes" / "uce_fair_ladders.yaml"


def without_amounts(recipe: Recipe) -> Recipe:
    """The same recipe, which then changes nothing."""
    (edit,) = recipe.edits
    assert isinstance(edit, Uce)
    plain = tuple(one.model_copy(update={"amounts": None}) for one in edit.debias)
    return recipe.model_copy(update={"edits": (edit.model_copy(update={"debias": plain}),)})


def main() -> None:
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else 384
    after = load_recipe(RECIPE)
    count = census(open_checkpoint("atelier"), pictures=pictures, purpose="report")
    for name, recipe in (("before", without_amounts(after)), ("after", after)):
        for concept, found in count(recipe).items():
            shown, total = found[1], sum(found)
            share = Share.of(shown / total, total)
            sys.stdout.write(
                f"{name:6}  {concept}: red {found[0]}, pink {shown} of {pictures} pictures; "
                f"pink {share.value:.0%} of {total} ({share.low:.0%} to {share.high:.0%})\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
