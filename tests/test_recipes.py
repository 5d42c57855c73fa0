"""Every recipe on the shelf loads, says what it does, plans on SD-1 and runs on its own model."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.plan import make_plan
from surgery.recipe import load_recipe
from surgery.store.checkpoint import open_checkpoint
from surgery.verify.gates import DEFAULTS
from tests.helpers.tiny import write_pipeline

SHELF = Path(__file__).parents[1] / "recipes"
RECIPES = sorted(SHELF.iterdir())
EXPECTED = {"remove_vangogh", "remove_three_artists", "remove_r2d2", "update_flag_of_freedonia"}
# What these make of a concept is no target's output, and what is left of it no measure of them.
AIMLESS = {"double_projection", "cure", "neuron_dropout"}


def test_the_shelf_holds_recipes_only_and_none_is_lost() -> None:
    assert {path.suffix for path in RECIPES} == {".yaml"}
    assert {path.stem for path in RECIPES} >= EXPECTED


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_named_as_its_file_and_says_what_it_does(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    assert recipe.description.endswith(".")
    assert recipe.model == "atelier"
    assert load_recipe(recipe.dump()) == recipe


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_shows_the_command_that_runs_it(path: Path) -> None:
    assert f"surgery apply recipes/{path.name}" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_plans(path: Path) -> None:
    plan = make_plan(load_recipe(path), open_checkpoint("atelier"))
    assert plan.changes
    assert not plan.identity


@pytest.mark.parametrize("path", [path for path in RECIPES if "where" not in path.read_text()])
def test_a_recipe_that_names_no_layers_plans_on_other_models(path: Path, tmp_path: Path) -> None:
    plan = make_plan(load_recipe(path), open_checkpoint(write_pipeline(tmp_path / "p")))
    assert plan.changes


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_runs_on_the_model_it_names_and_holds_what_it_expects(path: Path) -> None:
    recipe = load_recipe(path)
    report = apply(recipe, open_checkpoint(recipe.model or ""), dry_run=True)
    assert report.gates
    assert report.passed, report.gates
    aimed = [number for number, edit in enumerate(recipe.edits) if edit.method not in AIMLESS]
    leaks = [leak for leak in report.leaks if leak.wording == "prompts" and leak.edit in aimed]
    own = [leak.figure.median for leak in leaks]
    assert all(median < 0.5 for median in own)


def test_the_first_recipe_shows_the_limits_of_pictures_that_hold_anyway() -> None:
    shown = load_recipe(SHELF / "remove_vangogh.yaml").expect.pictures()
    assert shown == {name: limit for name, limit in DEFAULTS.items() if name != "given"}


def test_applying_a_recipe_passes_the_limits_of_pictures_over() -> None:
    recipe = load_recipe(SHELF / "remove_vangogh.yaml")
    report = apply(recipe, open_checkpoint("atelier"), dry_run=True)
    assert [gate.name for gate in report.gates] == ["leak", "neutral p95"]
