from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.cli import main
from tests.helpers.gguf import gguf

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "m.gguf").write_bytes(gguf())
    return tmp_path / "m.gguf"


def test_inspect_shows_what_a_gguf_file_is(path: Path, capsys: Capture) -> None:
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    for part in ("architecture flux", "not edited", "2 tensors, 516 parameters", "Q4_K", "512"):
        assert part in text


def test_json_is_complete_and_quiet_is_the_names(path: Path, capsys: Capture) -> None:
    assert main(["inspect", str(path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], len(document["tensor_list"])) == ("gguf", 2)
    assert main(["inspect", str(path), "--format", "quiet"]) == 0
    assert capsys.readouterr().out.splitlines() == ["a.weight", "b"]


def test_apply_refuses_it_in_one_line(path: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out.safetensors"
    assert main(["apply", "remove_vangogh", "--model", str(path), "-o", str(out)]) == 2
    shown = capsys.readouterr()
    assert "a GGUF file, which cannot be edited" in shown.err
    assert shown.err.count("\n") == 1
    assert not out.exists()
