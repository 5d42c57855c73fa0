from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from surgery.cli import main
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("inspect") / "model")


def test_a_page_names_layout_components_and_sites(model: Path, capsys: Capture) -> None:
    assert main(["inspect", str(model)]) == 0
    text = capsys.readouterr().out
    for part in ("layout sd1", "text_encoder", "unet", "vae", "cross_attn.q", "F16"):
        assert part in text


def test_json_lists_every_tensor(model: Path, capsys: Capture) -> None:
    assert main(["inspect", str(model), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    checkpoint = open_checkpoint(model)
    assert [item["name"] for item in document["tensor_list"]] == list(checkpoint)
    assert document["tensors"] == len(checkpoint)
    assert document["kind"] == "anatomy"


def test_quiet_is_the_tensor_names(model: Path, capsys: Capture) -> None:
    assert main(["inspect", str(model), "--format", "quiet"]) == 0
    assert capsys.readouterr().out.splitlines() == list(open_checkpoint(model))


def test_a_file_of_no_known_kind_is_described_all_the_same(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"a\x1b[31m": np.zeros((2, 3), np.float32)}, path)
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "no layout describes this checkpoint" in text
    assert "6 parameters" in text
    assert "\x1b" not in text


def test_a_damaged_file_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(b"\xff\0\0\0\0\0\0\0{}")
    assert main(["inspect", str(path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Error: ")
    assert shown.err.count("\n") == 1
    assert "cut.safetensors" in shown.err
