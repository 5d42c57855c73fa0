from __future__ import annotations

from pathlib import Path

import pytest

from surgery.cli import main
from surgery.cli.page import Line, Table
from surgery.cli.verify import verify_page
from surgery.report import ExamReport, Gate, JudgedSet, Share
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]


def report(passed: bool) -> ExamReport:
    sure, none = Share.of(1.0, 32), Share.of(0.0, 32)
    sets = (
        JudgedSet("van gogh", "style", True, sure, none, "plain", sure, sure),
        JudgedSet("monet", "style", False, sure, sure, "monet", sure, sure),
    )
    gate = Gate("van gogh gone", "at most 10%", "0%", passed)
    return ExamReport("atelier", "out", sets, (gate,))


def test_a_page_shows_each_concept_before_and_after_with_its_interval() -> None:
    table, *lines = verify_page(report(True))
    assert isinstance(table, Table)
    assert table.rows[0] == (
        "van gogh",
        "gone",
        "32",
        "100%",
        "0%",
        "0% to 11%",
        "plain",
        "100% then 100%",
    )
    assert table.rows[1][1] == "kept"
    assert isinstance(lines[-1], Line)
    assert lines[-1].style == "good"


def test_a_page_of_a_missed_gate_does_not_say_that_all_is_well() -> None:
    lines = [block for block in verify_page(report(False)) if isinstance(block, Line)]
    assert [line.style for line in lines] == ["bad", "plain"]
    assert lines[1].text == "0 of 1 gates passed"


def test_a_model_that_the_judge_cannot_read_is_a_mistake(tmp_path: Path, capsys: Capture) -> None:
    model = write_pipeline(tmp_path / "model")
    assert main(["verify", str(model), str(model), "--concept", "van gogh"]) == 2
    assert "no judge for this model" in capsys.readouterr().err


def test_a_concept_that_the_judge_does_not_know_is_a_mistake(capsys: Capture) -> None:
    assert main(["verify", "atelier", "atelier", "--concept", "van goph"]) == 2
    assert "van gogh" in capsys.readouterr().err
