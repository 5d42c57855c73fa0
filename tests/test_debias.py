from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from surgery.debias import DebiasReport, find_amounts
from surgery.errors import UsageError
from surgery.recipe import Recipe, load_recipe

RECIPE = """\
version: 1
name: fair
edits:
  - method: uce
    debias:
      - {concept: cross, attributes: [red cross, blue cross]}
      - {concept: ball, attributes: [red, green], ratios: [0.75, 0.25]}
"""
PAINTED = 200


def tilted(recipe: Recipe) -> Mapping[str, Sequence[int]]:
    """A world where one attribute rules, and a logistic curve says what an amount does to it."""
    (edit,) = recipe.edits
    found = {}
    for one, bias in zip(edit.model_dump()["debias"], (4.0, -3.0), strict=True):
        first, second = one["amounts"] or (0.0, 0.0)
        share = 1 / (1 + math.exp(-(bias + 3 * (first - second))))
        found[one["concept"]] = (round(PAINTED * share), round(PAINTED * (1 - share)))
    return found


def test_the_shares_come_to_what_was_wanted() -> None:
    recipe, report = find_amounts(load_recipe(RECIPE), tilted)
    assert max(one.off for one in report.rounds[0]) > 0.4
    assert max(one.off for one in report.best) <= 0.05
    assert tilted(recipe)["cross"][0] == pytest.approx(0.5 * PAINTED, abs=0.05 * PAINTED)
    assert tilted(recipe)["ball"][0] == pytest.approx(0.75 * PAINTED, abs=0.05 * PAINTED)


def test_the_best_round_is_kept_and_the_rounds_are_bounded() -> None:
    recipe, report = find_amounts(load_recipe(RECIPE), tilted, rounds=3, close=0.0)
    assert len(report.rounds) == 3
    off = [max(one.off for one in balances) for balances in report.rounds]
    assert off[report.kept] == min(off)
    (edit,) = recipe.edits
    assert [one["amounts"] for one in edit.model_dump()["debias"]] == [
        one.amounts for one in report.best
    ] or report.kept == 0


def test_a_report_is_the_same_after_being_written_and_read() -> None:
    _, report = find_amounts(load_recipe(RECIPE), tilted, rounds=2)
    assert DebiasReport.from_json(report.to_json()) == report


def test_what_shows_no_attribute_cannot_be_balanced() -> None:
    with pytest.raises(UsageError, match="no picture of 'cross' shows any of red cross, blue"):
        find_amounts(load_recipe(RECIPE), lambda recipe: {"cross": (0, 0), "ball": (1, 1)})


def test_a_recipe_without_debias_is_refused() -> None:
    text = "version: 1\nname: x\nedits: [{method: uce, concepts: [{erase: monet}]}]\n"
    with pytest.raises(UsageError, match="x has no uce edit with debias"):
        find_amounts(load_recipe(text), tilted)
