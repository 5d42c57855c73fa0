"""What can be loaded, in which forms, and what is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from surgery.errors import CheckpointError, LayoutError, UsageError
from surgery.model import DiffusersModel, generate, load_model
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.dduf import records, write_dduf
from tests.helpers.pickles import as_pickles

PROMPTS = ("a painting by van gogh",)
UNET = "unet/diffusion_pytorch_model.safetensors"


def painted(model: DiffusersModel) -> torch.Tensor:
    return generate(model, PROMPTS, [1], steps=1)


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A folder of Stable Diffusion 1 that a test may change."""
    return shutil.copytree(folders["sd1"], tmp_path / "copy")


def told(path: Path, **changes: object) -> None:
    said = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps(said), "utf-8")


@pytest.fixture(scope="module")
def expected(folders: dict[str, Path]) -> torch.Tensor:
    return painted(load_model(folders["sd1"]))


def test_weights_that_come_as_a_variant_are_read(copy: Path, expected: torch.Tensor) -> None:
    for path in copy.rglob("*.safetensors"):
        path.rename(path.with_name(path.name.replace(".safetensors", ".fp16.safetensors")))
    assert torch.equal(painted(load_model(copy)), expected)


def test_weights_in_shards_are_read(copy: Path, expected: torch.Tensor) -> None:
    whole = load_file(copy / UNET)
    names = sorted(whole)
    stem = "diffusion_pytorch_model-0000{}-of-00002.safetensors"
    halves = (names[::2], names[1::2])
    for number, half in enumerate(halves, 1):
        save_file({name: whole[name] for name in half}, copy / "unet" / stem.format(number))
    shards = {name: stem.format(n) for n, half in enumerate(halves, 1) for name in half}
    index = {"metadata": {}, "weight_map": shards}
    (copy / f"{UNET}.index.json").write_text(json.dumps(index), "utf-8")
    (copy / UNET).unlink()
    assert torch.equal(painted(load_model(copy)), expected)


def test_a_dduf_file_is_read(copy: Path, expected: torch.Tensor, tmp_path: Path) -> None:
    path = write_dduf(tmp_path / "model.dduf", records(copy))
    assert torch.equal(painted(load_model(path)), expected)


def test_pickles_in_a_folder_are_read_when_allowed(copy: Path, expected: torch.Tensor) -> None:
    as_pickles(copy, "unet", "vae", "text_encoder")
    assert torch.equal(painted(load_model(open_checkpoint(copy, allow_pickle=True))), expected)


def test_old_names_in_a_vae_are_read(copy: Path, expected: torch.Tensor) -> None:
    path = copy / "vae" / "diffusion_pytorch_model.safetensors"
    new = ("to_q", "to_k", "to_v", "to_out.0")
    tensors = load_file(path)
    for now, before in zip(new, ("query", "key", "value", "proj_attn"), strict=True):
        tensors = {name.replace(f".{now}.", f".{before}."): one for name, one in tensors.items()}
    assert any(".proj_attn." in name for name in tensors)
    save_file(tensors, path)
    assert torch.equal(painted(load_model(copy)), expected)


def test_a_tensor_that_is_missing_is_named_and_not_made_up(copy: Path) -> None:
    tensors = load_file(copy / UNET)
    del tensors["conv_out.bias"]
    save_file(tensors, copy / UNET)
    with pytest.raises(CheckpointError, match=r"unet: 1 tensors of .* missing, such as conv_out"):
        load_model(copy)
    weights = copy / "text_encoder" / "model.safetensors"
    tensors = load_file(weights)
    del tensors["text_model.final_layer_norm.bias"]
    save_file(tensors, weights)
    told(copy / "model_index.json", unet=[None, None])
    with pytest.raises(CheckpointError, match=r"text_encoder: 1 tensors .* final_layer_norm"):
        load_model(copy)


def test_a_configuration_of_other_shapes_is_refused(copy: Path) -> None:
    told(copy / "unet" / "config.json", cross_attention_dim=64)
    with pytest.raises(CheckpointError, match="and the configuration says"):
        load_model(copy)


def test_a_class_that_is_not_run_is_named(copy: Path) -> None:
    told(copy / "model_index.json", unet=["diffusers", "PriorTransformer"])
    with pytest.raises(CheckpointError, match="its unet is a PriorTransformer"):
        load_model(copy)


def test_a_pipeline_without_a_network_is_refused(copy: Path) -> None:
    told(copy / "model_index.json", vae=[None, None])
    with pytest.raises(CheckpointError, match="it has no vae; give the whole model"):
        load_model(copy)
    told(copy / "model_index.json", unet=[None, None])
    with pytest.raises(CheckpointError, match="the pipeline has no unet"):
        load_model(copy)


def test_a_model_that_needs_a_picture_is_refused(copy: Path) -> None:
    told(copy / "unet" / "config.json", in_channels=9)
    tensors = load_file(copy / UNET)
    tensors["conv_in.weight"] = torch.zeros(16, 9, 3, 3)
    save_file(tensors, copy / UNET)
    with pytest.raises(CheckpointError, match="reads 9 channels and paints 4"):
        load_model(copy)


def test_a_scheduler_that_ddim_cannot_follow_is_refused(copy: Path) -> None:
    told(copy / "scheduler" / "scheduler_config.json", _class_name="EDMEulerScheduler")
    with pytest.raises(CheckpointError, match="cannot be sampled by DDIM"):
        load_model(copy)


def test_a_network_alone_is_no_model(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"a sd1 model without model_index\.json"):
        load_model(copy / "unet")
    save_file({"weight": torch.zeros(2)}, tmp_path / "odd.safetensors")
    with pytest.raises(LayoutError, match="no layout"):
        load_model(tmp_path / "odd.safetensors")


def test_a_folder_takes_no_other_configuration(copy: Path) -> None:
    with pytest.raises(UsageError, match="states its own configuration"):
        load_model(copy, config=copy)


@pytest.mark.parametrize("device", ["cuda:9", "nowhere", "meta"])
def test_a_device_that_is_not_there_is_named(device: str, copy: Path) -> None:
    with pytest.raises(UsageError, match=device):
        load_model(copy, device=device)


def test_a_precision_that_is_not_known_is_named(copy: Path) -> None:
    with pytest.raises(UsageError, match="do not compute in 'int8'"):
        load_model(copy, dtype="int8")


@pytest.mark.parametrize("resolution", [0, -8, 60])
def test_a_resolution_that_cannot_be_painted_is_refused(resolution: int, copy: Path) -> None:
    with pytest.raises(UsageError, match=f"cannot paint {resolution} pixels a side; a multiple of"):
        load_model(copy, resolution=resolution)


def test_the_fingerprint_tells_values_apart(copy: Path, folders: dict[str, Path]) -> None:
    same, before = load_model(copy).fingerprint, load_model(folders["sd1"]).fingerprint
    assert same == before
    tensors = load_file(copy / UNET)
    tensors["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"] *= 2
    save_file(tensors, copy / UNET, {"format": "pt"})
    assert open_checkpoint(copy).fingerprint == open_checkpoint(folders["sd1"]).fingerprint
    assert load_model(copy).fingerprint != before


def test_the_tokenizer_given_is_the_one_used(copy: Path, folders: dict[str, Path]) -> None:
    own = load_model(copy).tokens().encode(PROMPTS[0])
    shutil.rmtree(copy / "tokenizer")
    with pytest.raises(CheckpointError, match="no tokenizer"):
        load_model(copy)
    given = load_model(copy, tokenizer=folders["sd1"] / "tokenizer")
    assert given.tokens().encode(PROMPTS[0]) == own
