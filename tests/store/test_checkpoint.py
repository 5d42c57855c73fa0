"""Every kind of address opens from its headers, or says in one sentence why not."""

from __future__ import annotations

import logging
import os
import pickle
from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.checkpoint import open_checkpoint
from tests.store.build import file_bytes, framed, write_file, write_json, write_pipeline
from tests.store.build import write_shards as shards


def test_a_single_file_keeps_its_names_and_order(tmp_path: Path) -> None:
    spec = {"z.1": ("F32", (1,)), "a": ("BF16", (0, 2)), "模": ("I64", ())}
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", spec, {"k": "v"}))
    assert (checkpoint.kind, list(checkpoint)) == ("file", list(spec))
    assert checkpoint.metadata == {"m.safetensors": {"k": "v"}}
    assert checkpoint.side_files == ()
    assert (checkpoint["a"].shape, checkpoint["a"].nbytes) == ((0, 2), 0)


def test_the_ending_of_a_file_does_not_matter_its_bytes_do(tmp_path: Path) -> None:
    assert len(open_checkpoint(write_file(tmp_path / "model.sft", {"a": ("U8", (1,))}))) == 1


def test_a_shard_index_has_plain_names_and_is_a_side_file(tmp_path: Path) -> None:
    index = shards(tmp_path, "model")
    (tmp_path / "unrelated.safetensors").touch()
    checkpoint = open_checkpoint(str(index))
    assert (checkpoint.kind, list(checkpoint)) == ("sharded", ["a.weight", "a.bias", "b.weight"])
    assert checkpoint.root == tmp_path
    assert checkpoint.side_files == (index,)
    assert len(checkpoint.files) == 2


def test_a_pipeline_names_tensors_by_component_in_its_order(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path))
    assert checkpoint.kind == "folder"
    assert list(checkpoint) == [
        "text_encoder/out.weight",
        "unet/a.weight",
        "unet/a.bias",
        "unet/b.weight",
    ]
    assert tmp_path / "tokenizer" / "deep" / "vocab.json" in checkpoint.side_files


@pytest.mark.parametrize("stem", ["diffusion_pytorch_model", "model"])
def test_a_bare_component_folder_has_plain_names(stem: str, tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {})
    write_file(tmp_path / f"{stem}.safetensors", {"w": ("F16", (1,))})
    checkpoint = open_checkpoint(tmp_path)
    assert (checkpoint.kind, list(checkpoint)) == ("folder", ["w"])


def test_a_sharded_component_folder_opens_by_its_index(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {})
    shards(tmp_path, "diffusion_pytorch_model")
    assert list(open_checkpoint(tmp_path)) == ["a.weight", "a.bias", "b.weight"]


def test_a_variant_beside_plain_weights_is_a_side_file_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_pipeline(tmp_path) / "text_encoder"
    write_file(folder / "model.fp16.safetensors", {"out.weight": ("F16", (4, 4))})
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({}))
    with caplog.at_level(logging.WARNING, "surgery"):
        checkpoint = open_checkpoint(tmp_path)
    assert checkpoint["text_encoder/out.weight"].file == folder / "model.safetensors"
    assert folder / "model.fp16.safetensors" in checkpoint.side_files
    assert folder / "pytorch_model.bin" in checkpoint.side_files
    assert "not read: model.fp16.safetensors" in caplog.text


def test_a_folder_with_only_a_variant_opens(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path) / "text_encoder"
    (folder / "model.safetensors").rename(folder / "model.fp16.safetensors")
    assert "text_encoder/out.weight" in open_checkpoint(tmp_path)


def test_links_into_a_cache_are_followed(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "sd") / "text_encoder"
    blob = tmp_path / "blob"
    (folder / "model.safetensors").rename(blob)
    (folder / "model.safetensors").symlink_to("../../blob")
    ref = open_checkpoint(tmp_path / "sd")["text_encoder/out.weight"]
    assert ref.read() == blob.read_bytes()[-32:]


def test_pickles_are_not_opened_unless_the_user_says_so(tmp_path: Path) -> None:
    for name in ("model.ckpt", "model.bin", "model.pt"):
        (tmp_path / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
        with pytest.raises(CheckpointError, match=r"a pickle file; --allow-pickle"):
            open_checkpoint(tmp_path / name)
    folder = tmp_path / "folder"
    write_json(folder / "config.json", {})
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({}))
    with pytest.raises(CheckpointError, match="pickles only"):
        open_checkpoint(folder)
    (folder / "model.safetensors").write_bytes(pickle.dumps(list(range(99))))
    with pytest.raises(CheckpointError, match="this is a pickle, which can run code"):
        open_checkpoint(folder)


def test_a_component_with_pickles_only_is_carried_along(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path) / "text_encoder"
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    checkpoint = open_checkpoint(tmp_path)
    assert folder / "pytorch_model.bin" in checkpoint.side_files
    assert all(name.startswith("unet/") for name in checkpoint)


def test_folders_that_are_no_model_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no model_index\.json and no config\.json"):
        open_checkpoint(tmp_path)
    write_json(tmp_path / "config.json", {})
    with pytest.raises(CheckpointError, match="no safetensors files"):
        open_checkpoint(tmp_path)
    (tmp_path / "model-00001-of-00002.safetensors").touch()
    with pytest.raises(CheckpointError, match="none that this folder's config or index names"):
        open_checkpoint(tmp_path)


def test_a_component_cannot_lie_outside_its_folder(tmp_path: Path) -> None:
    write_pipeline(tmp_path / "other")
    write_json(tmp_path / "sd" / "model_index.json", {"../other/unet": ["diffusers", "UNet"]})
    with pytest.raises(CheckpointError, match="not a plain folder name"):
        open_checkpoint(tmp_path / "sd")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"not json", "not valid JSON"), (b"[]", "expected a JSON object"), (b"{}", "no weight_map")],
)
def test_a_broken_index_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors.index.json"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=says):
        open_checkpoint(path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    index = shards(tmp_path, "model")
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"00002-of-00002\.safetensors: cannot be read"):
        open_checkpoint(index)


def test_pipes_are_refused_wherever_they_lie(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.safetensors")
    with pytest.raises(CheckpointError, match="is a pipe"):
        open_checkpoint(tmp_path / "m.safetensors")
    folder = write_pipeline(tmp_path / "sd")
    (folder / "text_encoder" / "model.safetensors").unlink()
    os.mkfifo(folder / "text_encoder" / "model.safetensors")
    with pytest.raises(CheckpointError, match="pipe"):
        open_checkpoint(folder)


def test_a_damaged_file_in_a_folder_is_named(tmp_path: Path) -> None:
    path = write_pipeline(tmp_path) / "text_encoder" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"text_encoder/model\.safetensors: .*cut short"):
        open_checkpoint(tmp_path)


def test_the_header_limit_is_the_callers(tmp_path: Path) -> None:
    path = write_file(tmp_path / "m.safetensors", {"a": ("U8", (1,))})
    with pytest.raises(CheckpointError, match="the header has"):
        open_checkpoint(path, max_header=10)


def test_twenty_thousand_tensors_open(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(file_bytes({f"t.{number}": ("U8", (1,)) for number in range(20_000)}))
    assert len(open_checkpoint(path)) == 20_000


def test_an_empty_file_of_no_tensors_opens(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(framed("{}"))
    assert len(open_checkpoint(path)) == 0


def test_a_folder_of_shards_needs_no_config(tmp_path: Path) -> None:
    index = shards(tmp_path / "m", "model")
    assert list(open_checkpoint(tmp_path / "m")) == list(open_checkpoint(index))
