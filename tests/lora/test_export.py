from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from surgery.errors import EditError, GateError, LayoutError, OutputError
from surgery.lora import export as exporting
from surgery.lora.export import LoraReport, LoraWish, export
from surgery.solve import solve
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.loras import patch_of, product, random_patch
from tests.helpers.pipelines import write_folder
from tests.helpers.recipes import nothing, recipe, twice

OUT = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_folder("sd1", tmp_path_factory.mktemp("export") / "model"))


def test_a_recipe_becomes_a_lora_of_its_rank(checkpoint: Checkpoint, tmp_path: Path) -> None:
    out = tmp_path / "lora.safetensors"
    patch, _ = solve(recipe(), checkpoint)
    report = export(patch, checkpoint, LoraWish("diffusers", out))
    (tensor,) = report.tensors
    (change,) = patch.changes[OUT]
    assert tensor.tensor == OUT
    assert tensor.rank == change.delta.rank == report.rank
    lead = "text_encoder.text_model.encoder.layers.0.self_attn.out_proj.lora_linear_layer"
    found = product(out, f"{lead}.up.weight", f"{lead}.down.weight")
    ref = checkpoint[OUT]
    base = np.frombuffer(ref.read(), "<f4").reshape(ref.shape).astype(np.float64)
    error = np.abs(base + found - patch.value(OUT, base)).max()
    assert report.max_abs == pytest.approx(error, rel=1e-3, abs=1e-15)
    assert report.out == str(out)


def test_two_edits_of_one_tensor_are_one_lora(checkpoint: Checkpoint, tmp_path: Path) -> None:
    patch, _ = solve(twice(), checkpoint)
    report = export(patch, checkpoint, LoraWish("kohya", tmp_path / "lora.safetensors"))
    ranks = [change.delta.rank for change in patch.changes[OUT]]
    assert len(ranks) == 2
    assert report.rank <= sum(ranks)


def test_the_file_tells_what_it_is_and_how_close_it_comes(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    out = tmp_path / "lora.safetensors"
    patch, _ = solve(recipe(), checkpoint)
    report = export(patch, checkpoint, LoraWish("kohya", out, "f16"))
    with safe_open(out, "np") as opened:
        metadata = opened.metadata()
    own = json.loads(metadata["surgery.lora"])
    assert own["relative_difference"] == pytest.approx(report.relative, rel=1e-5)
    assert 0 < own["relative_difference"] <= own["allowed_difference"]
    assert (own["dtype"], own["layout"], own["rank"]) == ("f16", "sd1", report.rank)
    assert metadata["surgery.base"] == checkpoint.fingerprint
    assert json.loads(metadata["surgery.recipe"])["name"] == "tiny"
    assert metadata["ss_network_dim"] == metadata["ss_network_alpha"] == str(report.rank)
    assert metadata["ss_base_model_version"] == "sd_v1"


def test_the_same_patch_gives_the_same_bytes(checkpoint: Checkpoint, tmp_path: Path) -> None:
    patch = random_patch(checkpoint, "cross_attn.{k,v}")
    outs = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for out in outs:
        export(patch, checkpoint, LoraWish("diffusers", out))
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_dry_run_checks_all_and_writes_nothing(checkpoint: Checkpoint, tmp_path: Path) -> None:
    patch = random_patch(checkpoint, "cross_attn.{k,v}")
    wish = LoraWish("peft", tmp_path / "adapter", dry_run=True)
    report = export(patch, checkpoint, wish)
    assert (report.out, report.files, len(report.tensors)) == (None, (), 32)
    assert report.components == ("unet",)
    assert list(tmp_path.iterdir()) == []


def test_a_report_comes_back_from_its_json(checkpoint: Checkpoint) -> None:
    patch = random_patch(checkpoint, "cross_attn.k[0]")
    report = export(patch, checkpoint, LoraWish("kohya", dry_run=True))
    assert LoraReport.from_json(report.to_json()) == report


def test_factors_that_do_not_make_the_edit_are_never_written(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one way to damage what lies between making the factors and storing them."""
    right = exporting.stored

    def damaged(*arguments: object) -> object:
        files = right(*arguments)  # type: ignore[arg-type]
        (tensors,) = files.values()
        tensor = max(tensors, key=lambda each: len(each.data))
        raw = np.frombuffer(tensor.data, "<f4").copy()
        raw[0] += 0.01
        object.__setattr__(tensor, "data", raw.tobytes())
        return files

    monkeypatch.setattr(exporting, "stored", damaged)
    out = tmp_path / "lora.safetensors"
    with pytest.raises(GateError, match="1 of 32 tensors fail and nothing is written"):
        export(random_patch(checkpoint, "cross_attn.{k,v}"), checkpoint, LoraWish("diffusers", out))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_patch_has_no_lora(checkpoint: Checkpoint) -> None:
    patch, _ = solve(nothing(), checkpoint)
    with pytest.raises(EditError, match="changes nothing"):
        export(patch, checkpoint, LoraWish("diffusers", dry_run=True))


def test_an_existing_file_stays(checkpoint: Checkpoint, tmp_path: Path) -> None:
    out = tmp_path / "lora.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        export(random_patch(checkpoint, "cross_attn.k[0]"), checkpoint, LoraWish("kohya", out))
    assert out.read_bytes() == b"mine"


def test_a_model_without_a_layout_is_named(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a.weight": np.ones((2, 2), np.float32)}, tmp_path / "odd.safetensors")
    odd = open_checkpoint(tmp_path / "odd.safetensors")
    patch = patch_of({"a.weight": ()}, odd)
    with pytest.raises(LayoutError, match=r"odd\.safetensors: no layout"):
        export(patch, odd, LoraWish("diffusers", dry_run=True))
