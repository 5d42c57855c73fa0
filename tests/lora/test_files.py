from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from surgery.errors import EditError, OutputError, SurgeryError, UsageError
from surgery.lora.files import check_target, contents, save, stored
from surgery.lora.formats import LoraFormat
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.loras import low_rank, names_in, one_change, random_patch
from tests.helpers.pipelines import write_folder

KEY = "unet/down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_folder("sd1", tmp_path_factory.mktemp("files") / "model"))


def files(checkpoint: Checkpoint, format: LoraFormat, dtype: str = "F32") -> dict[str, bytes]:
    patch = random_patch(checkpoint, "cross_attn.k[0:2], text.self_attn.out[0]")
    _, found = names_in(patch, checkpoint, format)
    return contents(found, stored(found, dtype), {"surgery.base": "abc"}, "a/model")


def test_the_file_is_one_that_safetensors_reads(checkpoint: Checkpoint, tmp_path: Path) -> None:
    out = tmp_path / "lora.safetensors"
    assert save(files(checkpoint, "kohya", "F16"), out, force=False) == out.stat().st_size
    tensors = load_file(out)
    kinds = {name.rpartition(".")[2]: array.dtype for name, array in tensors.items()}
    assert kinds == {"alpha": np.float32, "weight": np.float16}
    assert len(tensors) == 9
    with safe_open(out, "np") as opened:
        assert opened.metadata() == {"surgery.base": "abc"}


def test_peft_gets_weights_and_config_of_each_component(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    out = tmp_path / "adapter"
    save(files(checkpoint, "peft"), out, force=False)
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    both = ("adapter_config.json", "adapter_model.safetensors")
    assert found == {f"{part}/{name}" for part in ("unet", "text_encoder") for name in both}
    settings = json.loads((out / "unet" / both[0]).read_text())
    assert settings["base_model_name_or_path"] == "a/model"
    assert len(load_file(out / "unet" / both[1])) == 2 * len(settings["target_modules"]) == 4


def test_numbers_too_large_for_half_precision_are_refused(checkpoint: Checkpoint) -> None:
    huge = low_rank(*checkpoint[KEY].shape, 1, size=1e12)
    _, found = names_in(one_change(KEY, huge, checkpoint), checkpoint, "diffusers")
    assert stored(found, "F32")
    with pytest.raises(EditError):
        stored(found, "F16")


def test_force_replaces_and_nothing_else_does(checkpoint: Checkpoint, tmp_path: Path) -> None:
    out = tmp_path / "lora.safetensors"
    save({"": b"old"}, out, force=False)
    with pytest.raises(OutputError, match="exists"):
        save({"": b"new"}, out, force=False)
    assert out.read_bytes() == b"old"
    save({"": b"new"}, out, force=True)
    assert out.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_replaced_folder_holds_nothing_of_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "adapter"
    save({"unet/adapter_config.json": b"old"}, out, force=False)
    save({"text_encoder/adapter_config.json": b"new"}, out, force=True)
    assert [str(path.relative_to(out)) for path in out.rglob("*.json")] == [
        "text_encoder/adapter_config.json"
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def refusal(
    out: Path, checkpoint: Checkpoint, format: LoraFormat = "diffusers", *, force: bool = False
) -> SurgeryError:
    with pytest.raises(SurgeryError) as caught:
        check_target(out, checkpoint, format, force=force)
    return caught.value


def test_a_place_that_cannot_be_meant_is_refused_before_anything_is_read(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    there = tmp_path / "there.safetensors"
    there.write_bytes(b"mine")
    assert isinstance(refusal(tmp_path / "lora.bin", checkpoint), UsageError)
    assert "is a folder" in refusal(tmp_path / "a.safetensors", checkpoint, "peft").what
    assert "does not exist" in refusal(tmp_path / "no" / "a.safetensors", checkpoint).what
    assert "exists already" in refusal(there, checkpoint).what
    assert "inside it" in refusal(checkpoint.root / "unet" / "a.safetensors", checkpoint).what
    assert "inside it" in refusal(checkpoint.root, checkpoint, "peft", force=True).what
    assert check_target(there, checkpoint, "kohya", force=True) == there
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    assert "no regular file" in refusal(folder, checkpoint, force=True).what


def test_force_never_replaces_a_folder_that_is_no_adapter(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear")
    assert "no PEFT adapter" in refusal(home, checkpoint, "peft", force=True).what


def test_the_model_itself_is_never_replaced(tmp_path: Path) -> None:
    from tests.helpers.pipelines import write_single

    path = write_single("sd1", tmp_path / "model.safetensors")
    link = tmp_path / "link.safetensors"
    link.hardlink_to(path)
    for name in (path, link):
        assert "the output is the model" in refusal(name, open_checkpoint(path), force=True).what
