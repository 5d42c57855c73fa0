"""The published edits from a recipe to stored weights, on the pipelines that tests build."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.apply import ApplyReport, apply
from surgery.figures import WORST
from surgery.recipe import load_recipe
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.pipelines import write_folder

RECIPE = """\
version: 1
name: one
edits:
  - method: {method}
    concepts: [{{erase: van gogh, target: painting, kind: style}}]
    preserve: [monet]
    preserve_defaults: false
"""
METHODS = ("rece", "speed", "double_projection", "cure")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {family: write_folder(family, root / family) for family in ("sd1", "sdxl")}


def edited(models: dict[str, Path], family: str, method: str) -> ApplyReport:
    recipe = load_recipe(RECIPE.format(method=method))
    return apply(recipe, open_checkpoint(models[family]), dry_run=True)


@pytest.mark.parametrize("method", METHODS)
def test_it_changes_cross_attention_and_says_what_is_left(
    models: dict[str, Path], method: str
) -> None:
    report = edited(models, "sd1", method)
    kinds = {tensor.name.rsplit(".", 2)[-2] for tensor in report.tensors}
    assert kinds == ({"to_v"} if method == "speed" else {"to_k", "to_v"})
    assert {"prompts", WORST} <= {leak.wording for leak in report.leaks}


@pytest.mark.parametrize("method", ["speed", "cure"])
def test_it_brings_the_pooled_path_along(models: dict[str, Path], method: str) -> None:
    report = edited(models, "sdxl", method)
    assert [edit.method for edit in report.plan.edits] == [method, "pooled"]
    assert "pooled path" in {leak.wording for leak in report.leaks}
