from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.diff import diff
from surgery.store.checkpoint import open_checkpoint
from tests.cli.test_apply import CHANGED, contents, recipe
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("in_place") / "model")


@pytest.fixture
def model(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(made, tmp_path / "model"))


def words(tmp_path: Path, *more: str, **figures: float) -> list[str]:
    return ["apply", recipe(tmp_path, **figures), "--in-place", *more]


def test_one_tensor_changes_in_its_own_file_and_undo_gives_it_back(
    made: Path, model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(words(tmp_path, "-m", str(model), "--undo-file", "u")) == 0
    shown = capsys.readouterr()
    assert "in place" in shown.err
    assert "metadata stays" in shown.err
    assert "surgery undo" in shown.err
    report = diff(open_checkpoint(made), open_checkpoint(model))
    assert [change.name for change in report.changes] == [CHANGED]
    assert main(["apply", recipe(tmp_path), "-m", str(made), "-o", "copy"]) == 0
    copy = open_checkpoint("copy")
    assert copy[CHANGED].read() == open_checkpoint(model)[CHANGED].read()
    capsys.readouterr()
    assert main(["undo", "u", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["found"] == "edited"
    assert contents(model) == contents(made)
    assert main(["undo", "u"]) == 0
    assert "already as it was" in capsys.readouterr().out


def test_json_names_the_undo_file_and_quiet_is_the_undo_file(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(words(tmp_path, "-m", "model", "--undo-file", "u", "--format", "json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["undo_file"] == str(tmp_path / "u")
    assert document["out"] == "model"
    assert main(["undo", "u", "--format", "quiet"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def unchanged(model: Path, before: Mapping[str, bytes], tmp_path: Path) -> bool:
    return contents(model) == before and not (tmp_path / "u").exists()


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        (["-m", "model"], "--undo-file"),
        (["--undo-file", "u"], "--model"),
        (["-m", "model", "--undo-file", "u", "-o", "x"], "--out"),
        (["-m", "model", "--undo-file", "u", "--preview"], "--preview"),
        (["-m", "model", "--undo-file", "u", "--link"], "--link"),
    ],
)
def test_flags_that_cannot_be_meant_are_refused(
    more: list[str], missing: str, model: Path, tmp_path: Path, capsys: Capture
) -> None:
    before = contents(model)
    assert main(words(tmp_path, *more)) == 2
    assert missing in capsys.readouterr().err
    assert unchanged(model, before, tmp_path)


def test_an_undo_file_without_in_place_is_refused(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["apply", recipe(tmp_path), "-m", "model", "--undo-file", "u"]) == 2
    assert "--undo-file without --in-place" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "figures", "code", "said"),
    [
        (["--dry-run"], {}, 0, "nothing was written"),
        ([], {"strength": 0.1, "limit": 0.001}, 3, "a gate failed"),
        ([], {"strength": 0.0}, 0, "every byte is there already"),
    ],
)
def test_a_dry_run_a_missed_gate_and_no_change_leave_the_model(
    more: list[str],
    figures: dict[str, float],
    code: int,
    said: str,
    model: Path,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    before = contents(model)
    flags = ["-m", "model", "--undo-file", "u", *more]
    assert main(words(tmp_path, *flags, **figures)) == code
    assert said in capsys.readouterr().err
    assert unchanged(model, before, tmp_path)


def test_the_built_in_model_and_a_wrong_undo_file_are_refused(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(words(tmp_path, "-m", "atelier", "--undo-file", "u")) == 2
    assert "never edited in place" in capsys.readouterr().err
    assert main(["undo", str(tmp_path / "mine.yaml")]) == 2
    assert "no undo file" in capsys.readouterr().err
    assert main(["undo", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err
