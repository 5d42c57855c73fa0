from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from surgery.cli import main
from tests.helpers.tiny import write_pipeline


def test_a_sound_model_exits_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(write_pipeline(tmp_path / "m"))]) == 0
    assert "nothing is broken" in capsys.readouterr().out


def test_a_broken_one_exits_3_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"bad\x1b[31m": np.full((2, 2), np.nan, np.float32)}, path)
    assert main(["doctor", str(path)]) == 3
    out = capsys.readouterr().out
    assert "4 NaN" in out and "get it again" in out and "\x1b" not in out
    assert main(["doctor", str(path), "--format", "json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["sound"], len(document["findings"])) == ("doctor", False, 1)
    assert main(["doctor", str(path), "--format", "quiet"]) == 3
    assert capsys.readouterr().out == "bad\\u001b[31m\n"


def test_a_file_that_cannot_be_opened_is_broken_and_a_missing_one_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"\xff" * 64)
    assert main(["doctor", str(tmp_path / "m.safetensors")]) == 3
    assert "broken" in capsys.readouterr().out
    assert main(["doctor", str(tmp_path / "other.safetensors")]) == 2


def test_a_model_is_opened_and_warned_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unet = write_pipeline(tmp_path / "m") / "unet"
    shutil.copy(
        unet / "diffusion_pytorch_model.safetensors",
        unet / "diffusion_pytorch_model.fp16.safetensors",
    )
    assert main(["doctor", str(tmp_path / "m")]) == 0
    assert capsys.readouterr().err.count("Warning") == 1
