"""`surgery verify` from the command line: options, formats, files, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.report import VerifyReport
from surgery.verify.plan import plan
from surgery.verify.wish import Wish
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]
HERE = ("--workers", "1", "--steps", "1")


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    file = tmp_path / "prompts.csv"
    file.write_text("prompt,seed\na red star by van gogh,1\n", encoding="utf-8")
    return file


def asked(prompts: Path, *more: str) -> list[str]:
    words = ["verify", "atelier", "atelier", "-c", "van gogh", "--prompts", str(prompts)]
    return [*words, *HERE, *more]


def test_a_dry_run_tells_what_would_be_painted(capsys: Capture) -> None:
    assert main(["verify", "atelier", "atelier", "-c", "van gogh", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "nothing was painted" in shown
    made = plan("atelier", "atelier", Wish(concepts=("van gogh",)))
    assert f"{made.pictures} pictures" in shown


def test_a_dry_run_is_complete_as_json(capsys: Capture) -> None:
    words = ["verify", "atelier", "atelier", "-c", "van gogh", "--pictures", "2", "--dry-run"]
    assert main([*words, "--expect", "erased=0.3", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["concepts"] == ["van gogh"]
    assert found["pictures"] == sum(one["pictures"] for one in found["groups"])
    assert found["gates"]["erased"] == 0.3


def test_a_missed_gate_is_named_with_how_much_and_exits_with_3(
    prompts: Path, tmp_path: Path, capsys: Capture
) -> None:
    report = tmp_path / "report.json"
    threshold = ("--judge", "python:tests.cli.own_judge:bright", "--expect", "given=0.05")
    assert main(asked(prompts, *threshold, "--report", str(report))) == 3
    out, err = capsys.readouterr()
    assert "missed by 95.0%" in err
    assert "FAIL  given: van gogh" in out
    assert VerifyReport.from_json(report.read_text("utf-8")).missed[0].name == "given: van gogh"


def test_passing_exits_with_0_and_quiet_names_nothing(prompts: Path, capsys: Capture) -> None:
    dark = ("--judge", "python:tests.cli.own_judge:dark", "--format", "quiet")
    assert main(asked(prompts, *dark)) == 0
    assert capsys.readouterr().out == ""


def test_quiet_names_the_missed_gates(prompts: Path, capsys: Capture) -> None:
    bright = ("--judge", "python:tests.cli.own_judge:bright", "--format", "quiet")
    assert main(asked(prompts, *bright)) == 3
    assert capsys.readouterr().out == "given: van gogh\n"


def test_json_is_the_whole_report(prompts: Path, capsys: Capture) -> None:
    dark = ("--judge", "python:tests.cli.own_judge:dark", "--format", "json")
    assert main(asked(prompts, *dark)) == 0
    found = VerifyReport.from_json(capsys.readouterr().out)
    assert len(found.rows) == 1
    assert found.judges[0].model == "tests.cli.own_judge.dark"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-c", "van goph"], "did you mean 'van gogh'"),
        ([], "nothing says what should be gone"),
        (["-c", "van gogh", "--expect", "erased"], "'erased' is no limit"),
        (["-c", "van gogh", "--expect", "erased=lots"], "is no limit"),
        (["-c", "van gogh", "--expect", "erasd=0.1"], "did you mean 'erased'"),
        (["--kind", "style"], "--kind says something of one concept"),
        (["-c", "van gogh", "--report", "r.pdf"], "end it in .html, .json, .png, .xml"),
        (["-c", "van gogh", "--judge", "python:os:nothing"], "cannot be imported"),
        (["-c", "van gogh", "--prompts", "missing.csv"], "cannot be read"),
        (["-c", "van gogh", "--recipe", "no_such_recipe"], "no_such_recipe"),
    ],
)
def test_a_mistake_is_one_sentence_and_exits_with_2(
    words: list[str], problem: str, capsys: Capture
) -> None:
    assert main(["verify", "atelier", "atelier", *words, *HERE]) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert "Traceback" not in error


def test_a_model_that_no_judge_at_hand_can_read_is_a_mistake(
    tmp_path: Path, capsys: Capture
) -> None:
    model = write_pipeline(tmp_path / "model")
    words = ["verify", str(model), str(model), "-c", "van gogh", "--pictures", "1", *HERE]
    assert main(words) == 2
    assert "no judge for this model" in capsys.readouterr().err


def test_a_report_that_is_there_already_stops_everything(
    prompts: Path, tmp_path: Path, capsys: Capture
) -> None:
    report = tmp_path / "report.json"
    report.touch()
    assert main(asked(prompts, "--report", str(report))) == 2
    assert "already there" in capsys.readouterr().err
    assert report.read_bytes() == b""
