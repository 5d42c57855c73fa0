from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from surgery.anatomy import Anatomy, anatomy, component_of
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.tiny import write_pipeline


def test_a_pipeline_is_recognised_with_its_parts_and_sites(tmp_path: Path) -> None:
    found = anatomy(open_checkpoint(write_pipeline(tmp_path / "a")))
    assert found.family == "sd1"
    assert [part.name for part in found.components] == ["text_encoder", "unet", "vae"]
    assert found.sites["text.self_attn.out"] == 2
    assert found.dtypes == {"F16": found.parameters}
    assert found.why_not == ""
    assert found.oddities == ()


def test_it_survives_json(tmp_path: Path) -> None:
    found = anatomy(open_checkpoint(write_pipeline(tmp_path / "a")))
    assert Anatomy.from_json(found.to_json()) == found


def describe(folder: Path, tensors: dict[str, np.ndarray], **metadata: str) -> Anatomy:
    save_file(tensors, folder / "x.safetensors", metadata=metadata or None)
    return anatomy(open_checkpoint(folder / "x.safetensors"))


def test_an_unknown_file_says_why_no_layout_fits(tmp_path: Path) -> None:
    found = describe(tmp_path, {"some.weight": np.zeros((2, 2), np.float32)})
    assert found.layout is None
    assert "no layout" in found.why_not
    assert found.sites == {}


def test_earlier_edits_are_shown(tmp_path: Path) -> None:
    entries = {"surgery.version": "0.1.0", "license": "mit"}
    found = describe(tmp_path, {"a": np.zeros(1, np.float32)}, **entries)
    assert found.provenance == {"surgery.version": "0.1.0"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bad\x1b[31m", "control"),
        ("unet.lora_down.weight", "LoRA"),
        ("layer.weight.absmax", "quantised"),
        ("embeddings.position_ids", "whole numbers"),
    ],
)
def test_oddities_are_named_and_escaped(tmp_path: Path, name: str, reason: str) -> None:
    (oddity,) = describe(tmp_path, {name: np.zeros(1, np.float32)}).oddities
    assert reason in oddity
    assert "\x1b" not in oddity


def test_tensors_without_values_are_named(tmp_path: Path) -> None:
    found = describe(tmp_path, {"a": np.zeros((0, 3), np.float32)})
    assert found.oddities == ("1 tensor holds no values: a",)


def test_pickles_beside_the_weights_are_named(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "a")
    (folder / "unet" / "old.ckpt").write_bytes(b"")
    assert "pickle" in anatomy(open_checkpoint(folder)).oddities[0]


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("unet/conv_in.weight", "unet"),
        ("model.diffusion_model.input_blocks.0.0.weight", "unet"),
        ("cond_stage_model.transformer.x", "text_encoder"),
        ("conditioner.embedders.1.model.x", "text_encoder_2"),
        ("first_stage_model.decoder.x", "vae"),
        ("conv_in.weight", ""),
    ],
)
def test_names_tell_their_component(name: str, component: str) -> None:
    assert component_of(name) == component
