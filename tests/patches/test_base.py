"""Which model a patch is for, and what is said of any other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.patches import PatchFile, apply_patch, undo_patch
from surgery.patches.base import check_structure, check_values
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.patches.samples import NAME, one_change, weight, write_model


@pytest.fixture
def made(tmp_path: Path) -> tuple[Checkpoint, PatchFile]:
    return one_change(tmp_path / "m.safetensors", "F16")


def model(tmp_path: Path, **tensors: tuple[str, object]) -> Checkpoint:
    named = {name.replace("_", "."): value for name, value in tensors.items()}
    return open_checkpoint(write_model(tmp_path / "x.safetensors", named))  # type: ignore[arg-type]


def said(patch: PatchFile, checkpoint: Checkpoint) -> str:
    with pytest.raises(CheckpointError) as caught:
        check_structure(patch, checkpoint)
        check_values(patch, checkpoint, "apply")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_base_and_the_patched_model_are_told_apart(
    made: tuple[Checkpoint, PatchFile], tmp_path: Path
) -> None:
    base, patch = made
    check_values(patch, base, "apply")
    apply_patch(patch, base, tmp_path / "out.safetensors")
    patched = open_checkpoint(tmp_path / "out.safetensors")
    check_values(patch, patched, "undo")
    assert "patched model already; `surgery patch undo`" in said(patch, patched)
    with pytest.raises(CheckpointError, match="not patched: it is the base; `surgery patch apply`"):
        undo_patch(patch, base, None)


def test_another_model_is_refused_with_what_differs(
    made: tuple[Checkpoint, PatchFile], tmp_path: Path
) -> None:
    _, patch = made
    assert f"'{NAME}' is missing" in said(patch, model(tmp_path, other=("F16", weight((5,)))))
    near = model(tmp_path, blocks_weight=("F16", weight()))
    assert "the nearest is 'blocks.weight'" in said(patch, near)
    shape = said(patch, model(tmp_path, block_weight=("F16", weight((48, 32)))))
    assert f"'{NAME}' is F16 [48, 32], not F16 [48, 64]" in shape
    dtype = said(patch, model(tmp_path, block_weight=("F32", weight())))
    assert f"'{NAME}' is F32 [48, 64], not F16 [48, 64]" in dtype
    other = said(patch, model(tmp_path, block_weight=("F16", weight(seed=5))))
    assert "the patch is for another model; 1 of 1 tensors differ" in other
    assert f"'{NAME}' holds other values" in other
    assert "give the model that it was made from" in other


def test_a_scale_that_differs_is_another_model(tmp_path: Path) -> None:
    from surgery.patch import Change
    from tests.patches.samples import low_rank, patch_of

    scale = abs(weight((1,))) + 0.01
    tensors = {NAME: ("F8_E4M3", weight()), "block.weight_scale": ("F32", scale)}
    checkpoint = open_checkpoint(write_model(tmp_path / "m.safetensors", tensors))
    patch = patch_of(checkpoint, {NAME: [Change(low_rank())]})
    tensors["block.weight_scale"] = ("F32", scale * 2)
    other = open_checkpoint(write_model(tmp_path / "x.safetensors", tensors))
    assert "'block.weight_scale' holds other values" in said(patch, other)


def test_names_are_shown_escaped(tmp_path: Path) -> None:
    write_model(tmp_path / "m.safetensors", {"\x1b[31m": ("F32", weight())})
    checkpoint = open_checkpoint(tmp_path / "m.safetensors")
    from surgery.patch import Change
    from tests.patches.samples import low_rank, patch_of

    patch = patch_of(checkpoint, {"\x1b[31m": [Change(low_rank())]})
    text = said(patch, model(tmp_path, other=("F16", weight((5,)))))
    assert "\\u001b[31m" in text
    assert "\x1b" not in text
