"""Pickles give their weights or one sentence; nothing in them runs and nothing is left behind."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surgery.errors import CheckpointError, OutputError
from surgery.store import pickled
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.writer import write
from tests.helpers.pickles import Runs, flip, rezip, save, weights


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def opened(path: Path) -> Checkpoint:
    return open_checkpoint(path, allow_pickle=True)


@pytest.mark.parametrize("old", [False, True])
def test_every_tensor_comes_through_bit_by_bit(tmp_path: Path, old: bool) -> None:
    content = weights()
    if old:
        # Torch cannot read its own old format with 8-bit floats.
        del content["eighth"]
    checkpoint = opened(save(tmp_path / "m.ckpt", content, old=old))
    assert set(checkpoint) == set(content)
    for name, tensor in load_file(checkpoint.root).items():
        assert tensor.dtype == content[name].dtype
        assert torch.equal(tensor.double(), content[name].double())


def test_a_known_class_of_training_code_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = {"state_dict": {"a": torch.ones(2)}, "epoch": 3, "best": np_number()}
    with caplog.at_level(logging.WARNING, "surgery"):
        assert list(opened(save(tmp_path / "m.ckpt", content))) == ["a"]
    assert "left out, being no weights: 'epoch', 'best'" in caplog.text


def np_number() -> object:
    import numpy as np

    return np.float64(0.5)


@pytest.mark.parametrize("old", [False, True])
def test_code_is_never_run_and_its_name_is_said(tmp_path: Path, old: bool) -> None:
    path = save(tmp_path / "m.pt", {"a": torch.ones(1), "b": Runs(tmp_path / "ran")}, old=old)
    with pytest.raises(CheckpointError, match=r"holds 'posix\.mkdir', which is no weight data"):
        opened(path)
    assert not (tmp_path / "ran").exists()


def test_no_refusal_tells_how_to_load_the_file_unsafely(tmp_path: Path) -> None:
    path = save(tmp_path / "m.pt", {"b": Runs(tmp_path / "ran")})
    with pytest.raises(CheckpointError) as caught:
        opened(path)
    for word in ("weights_only", "safe_globals", "\x1b", "trust"):
        assert word not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (torch.ones(3), "no dict of tensors"),
        ({"epoch": 1}, "no tensors"),
        ({"model": {"a": torch.ones(1)}, "ema": {"a": torch.ones(1)}}, "'model', 'ema'"),
        ({"a": torch.ones(1, 1).expand(9000, 9000)}, "claim 324.0 MB"),
        ({"a": torch.eye(3).to_sparse()}, "sparse"),
        ({"a\0b": torch.ones(1)}, "cannot hold"),
        ({"a": torch.zeros(2, dtype=torch.complex128)}, "no type for torch.complex128"),
    ],
)
def test_what_is_no_state_dict_is_named(tmp_path: Path, content: object, reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason):
        opened(save(tmp_path / "m.bin", content))


@pytest.mark.parametrize(
    "raw", [b"", b"\x80\x02garbage", b"cos\nsystem\n(S'false'\ntR.", b"PK\3\4"]
)
def test_rubbish_is_one_sentence(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "m.pt").write_bytes(raw)
    with pytest.raises(CheckpointError, match=r"m\.pt") as caught:
        opened(tmp_path / "m.pt")
    assert "\n" not in str(caught.value)


def test_a_damaged_record_is_found_before_it_is_loaded(tmp_path: Path) -> None:
    path = flip(save(tmp_path / "m.ckpt", weights()), "data/0")
    with pytest.raises(CheckpointError, match="data/0' is damaged: its CRC"):
        opened(path)


def test_a_zip_that_torch_did_not_write_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is compressed"):
        opened(rezip(save(tmp_path / "m.ckpt", weights()), compress=True))


def test_nothing_is_left_behind(tmp_path: Path, own_temporary_folder: Path) -> None:
    checkpoint = opened(save(tmp_path / "m.ckpt", weights()))
    assert len(list(own_temporary_folder.iterdir())) == 1
    del checkpoint
    gc.collect()
    with pytest.raises(CheckpointError):
        opened(save(tmp_path / "bad.ckpt", {"a": Runs(tmp_path)}))
    gc.collect()
    assert list(own_temporary_folder.iterdir()) == []


def test_what_is_written_is_safetensors_and_never_replaces_the_pickle(tmp_path: Path) -> None:
    path = save(tmp_path / "m.ckpt", weights())
    before = path.read_bytes()
    checkpoint = opened(path)
    with pytest.raises(OutputError, match="says that it is a pickle"):
        write(checkpoint, {}, path, metadata={}, force=True)
    (tmp_path / "m.safetensors").symlink_to(path)
    with pytest.raises(OutputError, match="the output is an input"):
        write(checkpoint, {}, tmp_path / "m.safetensors", metadata={}, force=True)
    write(checkpoint, {}, tmp_path / "out.safetensors", metadata={})
    assert set(load_file(tmp_path / "out.safetensors")) == set(weights())
    assert path.read_bytes() == before


def test_too_slow_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled, "SECONDS", 0.01)
    with pytest.raises(CheckpointError, match="took longer than"):
        opened(save(tmp_path / "m.ckpt", {"a": torch.ones(1)}))


def test_a_torch_beside_the_user_is_not_the_one_that_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("import pathlib; pathlib.Path('ran').mkdir()", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert list(opened(save(tmp_path / "m.ckpt", {"a": torch.ones(1)}))) == ["a"]
    assert not (tmp_path / "ran").exists()


def test_this_process_never_imports_torch(tmp_path: Path) -> None:
    path = save(tmp_path / "m.ckpt", {"a": torch.ones(1)})
    script = (
        "import sys; from surgery.store.checkpoint import open_checkpoint as o;"
        f"print(list(o({str(path)!r}, allow_pickle=True)), 'torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(pickled.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == ["['a']", "False"]
