from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.recipe import load_recipe
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]


def test_the_found_amounts_are_written_into_a_copy_with_its_comments(
    tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "fair.yaml"
    words = ["--pictures", "16", "--rounds", "1", "-o", str(out), "--format", "json"]
    assert main(["debias", "uce_fair_ladders", *words]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["kind"] == "debias"
    (balance,) = report["rounds"][report["kept"]]
    (edit,) = load_recipe(out).edits
    assert edit.model_dump()["debias"][0]["amounts"] == tuple(balance["amounts"])
    assert "# The share of pictures each should have" in out.read_text(encoding="utf-8")


def test_an_output_that_is_there_is_refused_before_anything_is_painted(
    tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "fair.yaml"
    out.write_text("mine", encoding="utf-8")
    assert main(["debias", "uce_fair_ladders", "-o", str(out)]) == 2
    assert "already there" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "mine"


def test_a_model_that_the_judge_cannot_read_is_a_mistake(tmp_path: Path, capsys: Capture) -> None:
    model = write_pipeline(tmp_path / "model")
    words = ["-m", str(model), "-o", str(tmp_path / "x.yaml")]
    assert main(["debias", "uce_fair_ladders", *words]) == 2
    assert "no judge for this model" in capsys.readouterr().err


def test_a_recipe_that_debiases_nothing_is_a_mistake(tmp_path: Path, capsys: Capture) -> None:
    assert main(["debias", "uce_vangogh", "-o", str(tmp_path / "x.yaml")]) == 2
    assert "has no uce edit with debias" in capsys.readouterr().err
