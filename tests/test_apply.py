from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from surgery.apply import ApplyReport, apply, untouched
from surgery.diff import diff
from surgery.errors import OutputError, ResourceError, UsageError
from surgery.plan import make_plan
from surgery.recipe import Recipe
from surgery.store import preflight
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.recipes import nothing, recipe, twice
from tests.helpers.tiny import write_pipeline

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"
GATED = "expect: {leak: {max: 0.5}, drift: {max: 0.5}, untouched: bit_identical}"
STRICT = "expect: {leak: {max: 1e-9}}"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return open_checkpoint(write_pipeline(tmp_path / "p"))


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_changes_exactly_the_tensors_of_the_plan(checkpoint: Checkpoint, tmp_path: Path) -> None:
    report = apply(recipe(), checkpoint, tmp_path / "out")
    found = diff(checkpoint, open_checkpoint(tmp_path / "out"))
    assert tuple(change.name for change in found.changes) == report.plan.changes == (TENSOR,)
    assert report.identical == found.identical == len(checkpoint) - 1
    assert found.side_files == ("surgery.json",)
    assert found.changes[0].rank == report.tensors[0].rank
    assert found.changes[0].relative_norm == pytest.approx(report.tensors[0].relative_norm)


def test_files_without_a_changed_tensor_are_copied_byte_for_byte(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    apply(recipe(), checkpoint, tmp_path / "out")
    before, after = digests(checkpoint.root), digests(tmp_path / "out")
    assert after.keys() - before.keys() == {"surgery.json"}
    assert before.keys() <= after.keys()
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["text_encoder/model.safetensors"]


def test_the_input_is_left_alone(checkpoint: Checkpoint, tmp_path: Path) -> None:
    before = digests(checkpoint.root)
    apply(recipe(), checkpoint, tmp_path / "out")
    assert digests(checkpoint.root) == before


@pytest.mark.parametrize("identity", [nothing(), recipe(strength=0)])
def test_an_identity_gives_the_same_bytes_and_no_provenance(
    checkpoint: Checkpoint, tmp_path: Path, identity: Recipe
) -> None:
    report = apply(identity, checkpoint, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(checkpoint.root)
    assert report.plan.identity
    assert (report.identical, report.tensors, report.leaks) == (len(checkpoint), (), ())


def test_no_edits_copy_any_valid_file(tmp_path: Path) -> None:
    save_file({"any.thing": np.arange(5, dtype=np.int8)}, tmp_path / "x.safetensors")
    apply(nothing(), open_checkpoint(tmp_path / "x.safetensors"), tmp_path / "y.safetensors")
    assert (tmp_path / "y.safetensors").read_bytes() == (tmp_path / "x.safetensors").read_bytes()


def test_the_same_recipe_and_base_give_the_same_bytes(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    apply(twice(), checkpoint, tmp_path / "a")
    apply(twice(), checkpoint, tmp_path / "b")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_changed_files_say_what_was_done(checkpoint: Checkpoint, tmp_path: Path) -> None:
    apply(recipe(), checkpoint, tmp_path / "out")
    metadata = open_checkpoint(tmp_path / "out").metadata
    keys = metadata["text_encoder/model.safetensors"]
    assert keys["format"] == "pt"
    assert json.loads(keys["surgery.recipe"])["name"] == "tiny"
    assert keys["surgery.base"] == checkpoint.fingerprint
    assert not any(
        key.startswith("surgery.") for key in metadata["unet/diffusion_pytorch_model.safetensors"]
    )


def test_an_edited_model_can_be_edited_again(checkpoint: Checkpoint, tmp_path: Path) -> None:
    apply(recipe(), checkpoint, tmp_path / "one")
    again = apply(recipe(erase="seurat"), open_checkpoint(tmp_path / "one"), tmp_path / "two")
    assert "edited before" in again.warnings[0]
    keys = open_checkpoint(tmp_path / "two").metadata["text_encoder/model.safetensors"]
    assert len(json.loads(keys["surgery.edits"])) == 2


def test_a_dry_run_solves_and_writes_nothing(checkpoint: Checkpoint, tmp_path: Path) -> None:
    report = apply(recipe(), checkpoint, tmp_path / "out", dry_run=True)
    assert report.out is None
    assert report.leaks[0].figure.max < 0.5
    assert not (tmp_path / "out").exists()
    assert apply(recipe(), checkpoint, dry_run=True).tensors == report.tensors


def test_reports_survive_json(checkpoint: Checkpoint, tmp_path: Path) -> None:
    report = apply(recipe(more=GATED), checkpoint, tmp_path / "out")
    assert ApplyReport.from_json(report.to_json()) == report


def test_gates_that_hold_pass(checkpoint: Checkpoint, tmp_path: Path) -> None:
    report = apply(recipe(more=GATED), checkpoint, tmp_path / "out")
    assert report.passed
    assert [gate.name for gate in report.gates] == ["leak", "drift", "untouched"]
    assert report.gates[-1].found == f"{len(checkpoint) - 1} of {len(checkpoint) - 1} identical"


def test_a_missed_gate_stops_it_before_anything_is_written(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    report = apply(recipe(more=STRICT), checkpoint, tmp_path / "out")
    assert (report.passed, report.out) == (False, None)
    assert not list(tmp_path.glob("out*"))
    assert report.tensors


def test_a_weak_result_is_written_where_that_is_wanted(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    report = apply(recipe(more=STRICT), checkpoint, tmp_path / "out", allow_weak=True)
    assert not report.passed
    assert len(open_checkpoint(tmp_path / "out")) == len(checkpoint)


def test_the_untouched_gate_reads_the_output_back(checkpoint: Checkpoint, tmp_path: Path) -> None:
    apply(recipe(), checkpoint, tmp_path / "out")
    file = tmp_path / "out" / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["quant_conv.bias"] = tensors["quant_conv.bias"] + 1
    save_file(tensors, file)
    gate = untouched(checkpoint, tmp_path / "out", make_plan(recipe(), checkpoint))
    assert not gate.passed


def test_progress_counts_every_written_byte(checkpoint: Checkpoint, tmp_path: Path) -> None:
    seen: list[int] = []
    report = apply(recipe(), checkpoint, tmp_path / "out", progress=seen.append)
    assert sum(seen) == report.bytes_written
    assert report.bytes_written == sum(p.stat().st_size for p in map(Path, report.files))


def test_an_output_that_exists_is_refused_before_anything_is_solved(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    apply(nothing(), checkpoint, out)
    before = digests(out)
    for file in checkpoint.files:
        file.write_bytes(b"no longer a model")
    with pytest.raises(OutputError, match="out"):
        apply(recipe(), checkpoint, out)
    assert digests(out) == before


def test_force_replaces_an_output(checkpoint: Checkpoint, tmp_path: Path) -> None:
    apply(nothing(), checkpoint, tmp_path / "out")
    apply(recipe(), checkpoint, tmp_path / "out", force=True)
    assert not diff(checkpoint, open_checkpoint(tmp_path / "out")).same


@pytest.mark.parametrize("force", [False, True])
def test_the_input_is_never_an_output(checkpoint: Checkpoint, force: bool) -> None:
    with pytest.raises(OutputError):
        apply(recipe(), checkpoint, checkpoint.root, force=force)


def test_too_little_room_is_told_before_anything_is_solved(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(preflight, "disk_usage", lambda _: usage(10, 10, 10))
    with pytest.raises(ResourceError, match="room"):
        apply(recipe(), checkpoint, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_must_be_named(checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match="nowhere to write"):
        apply(recipe(), checkpoint)


def test_a_closed_form_edit_loads_no_model_library_and_opens_no_socket(tmp_path: Path) -> None:
    write_pipeline(tmp_path / "p")
    code = f"""
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("a socket was opened")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from surgery import apply, load_recipe, open_checkpoint
recipe = load_recipe({recipe().dump()!r})
apply(recipe, open_checkpoint({str(tmp_path / "p")!r}), {str(tmp_path / "out")!r})
heavy = "torch", "transformers", "diffusers", "huggingface_hub", "rich"
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_the_real_diffusers_loads_the_result(checkpoint: Checkpoint, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from diffusers import StableDiffusionPipeline

    apply(recipe(), checkpoint, tmp_path / "out")
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "out", dtype=torch.float16)
    state = pipeline.text_encoder.state_dict()
    (name,) = [name for name in state if name.endswith("layers.0.self_attn.out_proj.weight")]
    stored = load_file(tmp_path / "out" / "text_encoder" / "model.safetensors")
    assert np.array_equal(state[name].numpy(), stored[TENSOR.partition("/")[2]])
