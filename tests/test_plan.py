from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from surgery.errors import EditError, LayoutError
from surgery.plan import Plan, make_plan
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.recipes import nothing, recipe, twice
from tests.helpers.tiny import write_pipeline

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return open_checkpoint(write_pipeline(tmp_path / "p"))


def rewritten(folder: Path, change: dict[str, np.ndarray], **metadata: str) -> Checkpoint:
    file = folder / "text_encoder" / "model.safetensors"
    save_file(load_file(file) | change, file, metadata=metadata or None)
    return open_checkpoint(folder)


def test_shows_what_changes_what_is_read_and_how_many_prompts(checkpoint: Checkpoint) -> None:
    plan = make_plan(recipe(), checkpoint)
    (edit,) = plan.edits
    assert (edit.method, edit.sites, edit.changes) == (
        "quickfix",
        ("text.self_attn.out[0]",),
        (TENSOR,),
    )
    assert plan.changes == (TENSOR,)
    assert {name for name in edit.reads if "layers.1" in name} == set()
    assert len(edit.reads) == 11
    assert edit.prompts > 10
    assert (plan.layout, plan.identity) == ("sd1", False)
    assert plan.bytes_changed == checkpoint[TENSOR].nbytes
    assert plan.bytes_total == checkpoint.total_bytes


def test_reads_no_tensor(checkpoint: Checkpoint) -> None:
    for file in checkpoint.files:
        file.write_bytes(b"gone")
    assert make_plan(recipe(), checkpoint).changes == (TENSOR,)


def test_survives_json(checkpoint: Checkpoint) -> None:
    plan = make_plan(recipe(), checkpoint)
    assert Plan.from_json(plan.to_json()) == plan


def test_two_edits_of_one_tensor_change_it_once(checkpoint: Checkpoint) -> None:
    plan = make_plan(twice(), checkpoint)
    assert len(plan.edits) == 2
    assert plan.changes == (TENSOR,)


def test_no_edits_need_no_layout(tmp_path: Path) -> None:
    save_file({"anything": np.zeros(3)}, tmp_path / "x.safetensors")
    plan = make_plan(nothing(), open_checkpoint(tmp_path / "x.safetensors"))
    assert plan.identity
    assert plan.layout is None
    assert "no edits" in plan.warnings[0]


def test_strength_zero_is_an_identity_that_still_needs_its_sites(checkpoint: Checkpoint) -> None:
    plan = make_plan(recipe(strength=0), checkpoint)
    assert plan.identity
    assert plan.edits[0].sites == ("text.self_attn.out[0]",)
    assert plan.changes == ()


def test_an_unknown_structure_is_refused(tmp_path: Path) -> None:
    save_file({"anything": np.zeros(3)}, tmp_path / "x.safetensors")
    with pytest.raises(LayoutError):
        make_plan(recipe(), open_checkpoint(tmp_path / "x.safetensors"))


def test_a_tensor_of_a_type_without_arithmetic_is_named(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "p")
    whole = {TENSOR.partition("/")[2]: np.zeros((32, 32), np.int8)}
    with pytest.raises(EditError, match=r"edits\[0\] \(quickfix\).*out_proj.*I8"):
        make_plan(recipe(), rewritten(folder, whole))


def test_a_model_that_was_edited_before_says_so(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "p")
    checkpoint = rewritten(folder, {}, **{"surgery.recipe": '{"name": "older\\u001b"}'})
    (warning,) = make_plan(recipe(), checkpoint).warnings
    assert "older\\u001b" in warning


@pytest.mark.parametrize("text", ["", "[]", "{", "3", '{"name": 3}'])
def test_unreadable_provenance_is_no_obstacle(tmp_path: Path, text: str) -> None:
    folder = write_pipeline(tmp_path / "p")
    plan = make_plan(recipe(), rewritten(folder, {}, **{"surgery.recipe": text}))
    assert len(plan.warnings) == 1


def test_the_same_inputs_give_the_same_plan(checkpoint: Checkpoint) -> None:
    again = open_checkpoint(checkpoint.root)
    assert make_plan(recipe(), checkpoint).to_json() == make_plan(recipe(), again).to_json()
