"""References read exactly their rows; a fingerprint follows headers and sizes, not places."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.checkpoint import open_checkpoint
from tests.store.build import file_bytes, write_file, write_pipeline


def test_a_tensor_and_its_rows_are_read(tmp_path: Path) -> None:
    path = write_file(tmp_path / "m.safetensors", {"x": ("U8", (3,)), "w": ("F16", (4, 3))})
    ref = open_checkpoint(path)["w"]
    data = path.read_bytes()[-24:]
    assert (ref.dtype, ref.shape, ref.nbytes, ref.file) == ("F16", (4, 3), 24, path)
    assert ref.read() == data
    assert ref.read(1, 3) == data[6:18]
    assert ref.read(first_row=2) == data[12:]
    assert ref.read(last_row=1) == data[:6]
    assert ref.read(2, 2) == b""
    assert ref.rows([3, 0]) == [data[18:], data[:6]]


def test_rows_outside_a_tensor_are_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path / "m.safetensors", {"w": ("F16", (4, 3)), "s": ("F32", ())})
    checkpoint = open_checkpoint(path)
    for first, last in [(0, 5), (-1, 2), (3, 2)]:
        with pytest.raises(CheckpointError, match="no rows"):
            checkpoint["w"].read(first, last)
    for row in (4, -1):
        with pytest.raises(CheckpointError, match="no rows"):
            checkpoint["w"].rows([0, row])
    with pytest.raises(CheckpointError, match="no rows"):
        checkpoint["s"].read(0, 0)
    assert len(checkpoint["s"].read()) == 4


def test_rows_of_half_bytes_are_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path / "m.safetensors", {"w": ("F4", (4, 3))})
    ref = open_checkpoint(path)["w"]
    assert ref.read(2, 4) == ref.read()[3:]
    with pytest.raises(CheckpointError, match="whole bytes"):
        ref.rows([0])
    with pytest.raises(CheckpointError, match="do not fill whole bytes"):
        ref.read(1, 4)


def test_a_file_cut_short_after_opening_is_an_error(tmp_path: Path) -> None:
    path = write_file(tmp_path / "m.safetensors", {"w": ("F16", (4, 3))})
    ref = open_checkpoint(path)["w"]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="1 bytes too early"):
        ref.read()


def test_a_checkpoint_is_a_mapping_that_names_its_parts(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "sd"))
    assert len(checkpoint) == 4
    assert "unet/a.bias" in checkpoint
    with pytest.raises(KeyError):
        checkpoint["unet"]
    assert "4 tensors" in repr(checkpoint)
    assert checkpoint.metadata["unet/diffusion_pytorch_model-00001-of-00002.safetensors"] == {
        "x": "1"
    }
    files = [path for path in (tmp_path / "sd").rglob("*") if path.is_file()]
    assert checkpoint.total_bytes == sum(path.stat().st_size for path in files)
    assert set(checkpoint.files) | set(checkpoint.side_files) == set(files)
    assert not set(checkpoint.files) & set(checkpoint.side_files)


def test_json_side_files_are_read_and_nothing_else(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "sd"))
    (tmp_path / "outside.json").write_text("{}", encoding="utf-8")
    assert checkpoint.json("text_encoder/config.json") == {"hidden_size": 4}
    assert checkpoint.json("../outside.json") is None
    assert checkpoint.json("text_encoder/model.safetensors") is None
    assert checkpoint.json("no.json") is None


def test_the_fingerprint_follows_header_and_size(tmp_path: Path) -> None:
    spec = {"w": ("F16", (4, 3))}
    first = write_file(tmp_path / "a.safetensors", spec)
    moved = write_file(tmp_path / "b.safetensors", spec)
    longer = tmp_path / "c.safetensors"
    longer.write_bytes(file_bytes(spec, pad=1))
    fingerprints = [open_checkpoint(path).fingerprint for path in (first, moved, longer)]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
