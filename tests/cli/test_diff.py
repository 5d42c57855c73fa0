from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from surgery.cli import main
from surgery.cli.diff import SHOWN

Capture = pytest.CaptureFixture[str]


def weights(count: int = 3) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {f"layer.{n}.weight": draw.normal(size=(8, 8)).astype(np.float32) for n in range(count)}


@pytest.fixture
def pair(tmp_path: Path) -> list[str]:
    """Two files that differ in one tensor."""
    before, after = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file(weights(), before)
    changed = load_file(before)
    changed["layer.1.weight"][0, 0] += 1
    save_file(changed, after)
    return [str(before), str(after)]


def test_a_page_names_what_changed_and_counts_what_did_not(
    pair: list[str], capsys: Capture
) -> None:
    assert main(["diff", *pair]) == 0
    text = capsys.readouterr().out
    assert "layer.1.weight" in text
    assert "layer.0.weight" not in text
    assert "2 of 3 tensors bit-identical" in text


def test_quiet_is_the_names_that_differ(pair: list[str], capsys: Capture) -> None:
    assert main(["diff", *pair, "--format", "quiet"]) == 0
    assert capsys.readouterr().out == "layer.1.weight\n"


def test_json_is_the_report(pair: list[str], capsys: Capture) -> None:
    assert main(["diff", *pair, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == "diff"
    assert document["identical"] == 2
    assert document["changes"][0]["changed_entries"] == 1


def test_the_exit_code_speaks_only_when_asked(pair: list[str]) -> None:
    assert main(["diff", *pair, "--exit-code"]) == 3
    assert main(["diff", pair[0], pair[0], "--exit-code"]) == 0


def test_a_long_list_is_cut_and_says_so(tmp_path: Path, capsys: Capture) -> None:
    before, after = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file(weights(SHOWN + 5), before)
    save_file({name: value + 1 for name, value in weights(SHOWN + 5).items()}, after)
    assert main(["diff", str(before), str(after)]) == 0
    text = capsys.readouterr().out
    assert "5 more; --all lists them" in text
    assert text.count("layer.") == SHOWN
    assert main(["diff", str(before), str(after), "--all"]) == 0
    assert capsys.readouterr().out.count("layer.") == SHOWN + 5
