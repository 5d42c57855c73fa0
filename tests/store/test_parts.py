"""Folders whose weights are pickles: read with leave, and only the edited component converted."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surgery.apply import apply
from surgery.errors import CheckpointError
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.pickles import Runs, as_pickles, save
from tests.helpers.pipelines import write_folder
from tests.helpers.recipes import nothing, recipe
from tests.helpers.tiny import write_pipeline
from tests.store.build import contents

OUT = "text_model.encoder.layers.0.self_attn.out_proj.weight"
MORE = "expect: {untouched: bit_identical}\n"


def test_pickles_alone_need_leave_and_the_error_names_the_flag(tmp_path: Path) -> None:
    folder = as_pickles(write_pipeline(tmp_path / "in"), "unet", "vae", "text_encoder")
    with pytest.raises(CheckpointError, match="are pickles only; --allow-pickle reads it"):
        open_checkpoint(folder)


@pytest.mark.parametrize("shards", [1, 3])
def test_an_edit_converts_its_component_and_copies_the_others(tmp_path: Path, shards: int) -> None:
    write_pipeline(tmp_path / "plain")
    folder = as_pickles(write_pipeline(tmp_path / "in"), "unet", "text_encoder", shards=shards)
    before = contents(folder)
    checkpoint = open_checkpoint(folder, allow_pickle=True)
    report = apply(recipe(more=MORE), checkpoint, tmp_path / "out")
    assert report.passed
    apply(recipe(), open_checkpoint(tmp_path / "plain"), tmp_path / "wanted")
    after = contents(tmp_path / "out")
    own = {name for name in before if name.startswith("text_encoder/pytorch_model")}
    new = {"text_encoder/model.safetensors", "surgery.json"}
    assert after.keys() == before.keys() - own | new
    assert all(after[name] == before[name] for name in after.keys() & before.keys())
    ours = load_file(tmp_path / "out" / "text_encoder" / "model.safetensors")
    theirs = load_file(tmp_path / "wanted" / "text_encoder" / "model.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert contents(folder) == before


def test_a_folder_of_pickles_reads_as_one_of_safetensors_and_is_copied_as_it_is(
    tmp_path: Path,
) -> None:
    plain = open_checkpoint(write_pipeline(tmp_path / "plain"))
    folder = as_pickles(write_pipeline(tmp_path / "in"), "unet", "vae")
    found = open_checkpoint(as_pickles(folder, "text_encoder", shards=2), allow_pickle=True)
    assert set(found) == set(plain)
    assert all(found[name].read() == plain[name].read() for name in plain)
    assert "text_encoder/model.safetensors" in found.headers
    assert not any(path.suffix == ".bin" for path in found.side_files)
    apply(nothing(), found, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(folder)


def test_diffusers_loads_the_edited_folder(tmp_path: Path) -> None:
    import diffusers

    plain = write_folder("sd1", tmp_path / "plain")
    folder = as_pickles(write_folder("sd1", tmp_path / "in"), "unet", "text_encoder")
    apply(recipe(), open_checkpoint(folder, allow_pickle=True), tmp_path / "out")
    apply(recipe(), open_checkpoint(plain), tmp_path / "wanted")
    pipelines = [
        diffusers.StableDiffusionPipeline.from_pretrained(str(tmp_path / name))
        for name in ("out", "wanted")
    ]
    for part in ("unet", "vae", "text_encoder"):
        ours, theirs = (getattr(pipeline, part).state_dict() for pipeline in pipelines)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours), part


def test_a_component_of_pickles_beside_others_is_carried_along_without_the_flag(
    tmp_path: Path,
) -> None:
    folder = as_pickles(write_pipeline(tmp_path / "in"), "vae")
    apply(recipe(), open_checkpoint(folder), tmp_path / "out")
    name = "vae/diffusion_pytorch_model.bin"
    assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()


def test_safetensors_come_before_pickles_of_the_same_component(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path)
    save(folder / "unet" / "diffusion_pytorch_model.bin", {"x": Runs(tmp_path / "ran")})
    found = open_checkpoint(folder, allow_pickle=True)
    assert not found.origins


def test_a_variant_keeps_its_name_and_plain_weights_come_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = as_pickles(write_pipeline(tmp_path), "text_encoder", "unet")
    text = folder / "text_encoder"
    (text / "pytorch_model.bin").rename(text / "pytorch_model.fp16.bin")
    save(folder / "unet" / "diffusion_pytorch_model.fp16.bin", {"x": Runs(tmp_path / "ran")})
    save(folder / "unet" / "optimizer.bin", {"x": Runs(tmp_path / "ran")})
    with caplog.at_level(logging.WARNING, "surgery"):
        found = open_checkpoint(folder, allow_pickle=True)
    assert "text_encoder/model.fp16.safetensors" in found.headers
    assert "unet/diffusion_pytorch_model.safetensors" in found.headers
    assert "not read: diffusion_pytorch_model.fp16.bin" in caplog.text


@pytest.mark.parametrize("wrong", ["missing", "outside", "twice", "unnamed"])
def test_shards_that_are_not_those_of_the_index_are_refused(tmp_path: Path, wrong: str) -> None:
    folder = as_pickles(write_pipeline(tmp_path), "text_encoder", shards=2)
    folder = folder / "text_encoder"
    shard, index = folder / "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"
    weight_map = json.loads((folder / index).read_text("utf-8"))["weight_map"]
    says = "cannot be read"
    if wrong == "missing":
        shard.unlink()
    elif wrong == "outside":
        weight_map[OUT], says = "../x.bin", "not a plain file name"
    elif wrong == "twice":
        save(shard, torch.load(folder / "pytorch_model-00001-of-00002.bin", weights_only=True))
        says = "is in another shard too"
    else:
        del weight_map[OUT]
        says = "which the index does not name"
    (folder / index).write_text(json.dumps({"weight_map": weight_map}), "utf-8")
    with pytest.raises(CheckpointError, match=says):
        open_checkpoint(tmp_path, allow_pickle=True)


def test_code_in_a_component_is_never_run(tmp_path: Path) -> None:
    folder = as_pickles(write_pipeline(tmp_path / "in"), "unet")
    save(folder / "unet" / "diffusion_pytorch_model.bin", {"x": Runs(tmp_path / "ran")})
    with pytest.raises(CheckpointError, match=r"unet/diffusion.*'posix\.mkdir'"):
        open_checkpoint(folder, allow_pickle=True)
    assert not (tmp_path / "ran").exists()
