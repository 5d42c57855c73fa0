"""The flags for what a model comes in: pickles, and links to what stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surgery.cli import main
from tests.helpers.pickles import Runs, save, weights
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]
COPY = "version: 1\nname: copy\nedits: []\n"


@pytest.fixture(autouse=True)
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "copy.yaml").write_text(COPY, "utf-8")


def test_a_pickle_needs_the_flag(tmp_path: Path, capsys: Capture) -> None:
    save(tmp_path / "m.ckpt", weights())
    for command in (["inspect", "m.ckpt"], ["apply", "copy.yaml", "-m", "m.ckpt"]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert "m.ckpt: this is a pickle file; --allow-pickle reads it" in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_apply_turns_a_pickle_into_safetensors(tmp_path: Path, capsys: Capture) -> None:
    save(tmp_path / "m.ckpt", {"state_dict": {"a": torch.ones(3)}, "epoch": 2})
    assert main(["apply", "copy.yaml", "-m", "m.ckpt", "--allow-pickle"]) == 0
    shown = capsys.readouterr()
    assert "left out, being no weights: 'epoch'" in shown.err
    assert torch.equal(load_file(tmp_path / "out" / "copy.safetensors")["a"], torch.ones(3))
    assert main(["diff", "m.ckpt", "out/copy.safetensors", "--allow-pickle"]) == 0
    assert "every tensor is bit-identical" in capsys.readouterr().out


def test_inspect_shows_a_pickle(tmp_path: Path, capsys: Capture) -> None:
    save(tmp_path / "m.pt", {"a": torch.ones(3)})
    assert main(["inspect", "m.pt", "--allow-pickle"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("m.pt")
    assert "3 parameters" in shown
    assert "odd: read from pickles: m.pt; what is edited becomes safetensors" in shown
    assert main(["doctor", "m.pt", "--allow-pickle"]) == 0
    assert "nothing is broken; 1 tensor read" in capsys.readouterr().out


def test_code_in_a_pickle_is_one_line_and_never_runs(tmp_path: Path, capsys: Capture) -> None:
    save(tmp_path / "m.pt", {"a": Runs(tmp_path / "ran")})
    assert main(["inspect", "m.pt", "--allow-pickle"]) == 2
    shown = capsys.readouterr()
    assert "'posix.mkdir', which is no weight data and was not run" in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert not (tmp_path / "ran").exists()


def test_links_are_made_and_said(tmp_path: Path, capsys: Capture) -> None:
    write_pipeline(tmp_path / "in")
    assert main(["apply", "copy.yaml", "-m", "in", "-o", "new", "--link"]) == 0
    assert "files linked" in capsys.readouterr().err
    index = "model_index.json"
    assert (tmp_path / "new" / index).samefile(tmp_path / "in" / index)


def test_the_help_says_what_a_link_means(capsys: Capture) -> None:
    assert main(["apply", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "in place later would change both models" in text
