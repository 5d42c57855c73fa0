"""An edited copy holds no second copy of the edited weights as they were before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.plan import make_plan
from surgery.store.checkpoint import open_checkpoint
from surgery.store.outputs import outputs, stale
from tests.helpers.recipes import nothing, recipe
from tests.helpers.tiny import write_pipeline
from tests.store.build import contents

COPIES = (
    "text_encoder/pytorch_model.bin",
    "text_encoder/model.fp16.safetensors",
    "text_encoder/flax_model.msgpack",
    "text_encoder/model.safetensors.index.fp16.json",
    "text_encoder/model.fp16-00001-of-00001.safetensors",
    "whole.ckpt",
)
OTHERS = ("unet/diffusion_pytorch_model.bin", "vae/diffusion_pytorch_model.fp16.safetensors")
TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_pipeline(tmp_path / "in")
    weights = folder / "text_encoder" / "model.safetensors"
    for name in (*COPIES, *OTHERS):
        shutil.copy(weights, folder / name)
    index = '{"weight_map": {"a": "model.fp16-00001-of-00001.safetensors"}}'
    (folder / COPIES[3]).write_text(index, "utf-8")
    return folder


def test_stale_copies_of_the_edited_component_are_left_out(tmp_path: Path, folder: Path) -> None:
    apply(recipe(), open_checkpoint(folder), tmp_path / "out")
    assert contents(folder).keys() - contents(tmp_path / "out").keys() == set(COPIES)


def test_the_plan_says_so(folder: Path) -> None:
    (said,) = (text for text in make_plan(recipe(), open_checkpoint(folder)).warnings)
    assert said.startswith("text_encoder/flax_model.msgpack and 5 more hold the weights from")
    assert said.endswith("a copy leaves such files out")


def test_an_identity_copies_every_file(tmp_path: Path, folder: Path) -> None:
    apply(nothing(), open_checkpoint(folder), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(folder)
    assert stale(open_checkpoint(folder), ()) == ()


def test_the_index_of_the_edited_shards_stays(tmp_path: Path) -> None:
    from tests.store.build import write_pipeline as write_shards

    checkpoint = open_checkpoint(write_shards(tmp_path))
    assert stale(checkpoint, ["unet/a.weight"]) == ()
    assert set(outputs(checkpoint, ["unet/a.weight"])) == set(checkpoint.stamps)


def test_a_single_file_has_no_copies(tmp_path: Path, folder: Path) -> None:
    checkpoint = open_checkpoint(folder / "text_encoder" / "model.safetensors")
    assert stale(checkpoint, [TENSOR.partition("/")[2]]) == ()
