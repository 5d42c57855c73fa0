"""The pooled path of SDXL, alone and beside an edit of cross-attention."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from surgery.apply import ApplyReport, apply
from surgery.errors import LayoutError
from surgery.plan import make_plan
from surgery.recipe import Recipe, load_recipe
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.pipelines import WIDTHS, write_folder, write_single

PATH = {
    "folder": "unet/add_embedding.linear_1.weight",
    "file": "model.diffusion_model.label_emb.0.0.weight",
}


def recipe(more: str = "", *, method: str = "uce", kind: str = "style") -> Recipe:
    return load_recipe(
        f"""\
version: 1
name: both
edits:
  - method: {method}
    concepts: [{{erase: van gogh, target: painting, kind: {kind}}}]
    preserve: [monet]
    preserve_defaults: false
    {more}
"""
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sdxl")
    return {
        "folder": write_folder("sdxl", root / "folder"),
        "file": write_single("sdxl", root / "m.safetensors"),
    }


def edited(models: dict[str, Path], naming: str, wanted: Recipe) -> tuple[Checkpoint, ApplyReport]:
    checkpoint = open_checkpoint(models[naming])
    return checkpoint, apply(wanted, checkpoint, dry_run=True)


@pytest.mark.parametrize("naming", ["folder", "file"])
def test_an_edit_of_cross_attention_brings_the_pooled_path_along(
    models: dict[str, Path], naming: str
) -> None:
    checkpoint, report = edited(models, naming, recipe())
    assert [edit.method for edit in report.plan.edits] == ["uce", "pooled"]
    assert PATH[naming] in report.plan.changes
    assert len(report.plan.changes) == len({tensor.name for tensor in report.tensors})
    (leak,) = (leak for leak in report.leaks if leak.wording == "pooled path")
    assert leak.figure.max < 0.5
    assert checkpoint.kind == naming


def test_the_picture_sizes_that_the_same_map_reads_are_left_alone(
    models: dict[str, Path], tmp_path: Path
) -> None:
    apply(recipe(method="pooled"), open_checkpoint(models["file"]), tmp_path / "out.safetensors")
    before, after = load_file(models["file"]), load_file(tmp_path / "out.safetensors")
    differ = [name for name in before if not np.array_equal(before[name], after[name])]
    assert differ == [PATH["file"]]
    changed = (before[differ[0]] != after[differ[0]]).any(axis=0)
    width = WIDTHS["text_encoder_2"]
    assert changed[:width].all()
    assert not changed[width:].any()


@pytest.mark.parametrize(
    ("more", "kind", "methods"),
    [
        ("pooled: false", "style", ["uce"]),
        ("", "object", ["uce"]),
        ("pooled: true", "object", ["uce", "pooled"]),
        ("", "fact", ["uce", "pooled"]),
    ],
)
def test_it_comes_along_for_styles_and_facts_or_as_the_recipe_says(
    models: dict[str, Path], more: str, kind: str, methods: list[str]
) -> None:
    plan = make_plan(recipe(more, kind=kind), open_checkpoint(models["folder"]))
    assert [edit.method for edit in plan.edits] == methods


def test_a_model_without_a_pooled_path_needs_no_second_edit(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_folder("sd1", tmp_path / "sd1"))
    assert [edit.method for edit in make_plan(recipe(), checkpoint).edits] == ["uce"]
    with pytest.raises(LayoutError, match=r"pooled\.in"):
        make_plan(recipe(method="pooled"), checkpoint)
