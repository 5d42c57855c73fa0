"""`surgery verify` from the command line: options, formats, files, exit codes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.cli.console import Output
from surgery.judges import metric_files
from surgery.report import VerifyReport
from surgery.verify import attacks
from surgery.verify.bench import Bench
from surgery.verify.plan import Plan, plan
from surgery.verify.run import OnStep
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


def test_a_metric_that_cannot_be_had_is_one_sentence_and_exits_with_2(
    prompts: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(metric_files, "find_spec", lambda name: None)
    assert main(asked(prompts, "--metric", "lpips")) == 2
    out, err = capsys.readouterr()
    said = " ".join(err.split())
    assert out == ""
    assert said == (
        "Error: --metric lpips: LPIPS needs torchmetrics and torchvision, not installed here; "
        "pip install 'surgery[metrics]'"
    )
    assert main(asked(prompts, "--metric", "lpip")) == 2
    assert "did you mean 'lpips'?" in capsys.readouterr().err


def test_attacks_have_a_bar_of_their_own_and_count_in_the_cost(
    prompts: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    shown: list[tuple[str, int]] = []
    bars = Bars()

    def attack(made: Plan, judges: Bench, on_step: OnStep) -> tuple[()]:
        shown.extend(bars.open)
        on_step("rece", 5)
        return ()

    monkeypatch.setattr(attacks, "attacks", attack)
    monkeypatch.setattr(attacks, "most", lambda made: 7)
    monkeypatch.setattr(Output, "progress", bars.progress)
    dark = ("--judge", "python:tests.cli.own_judge:dark", "--format", "json", "--attacks")
    assert main(asked(prompts, *dark)) == 0
    assert shown == [("attacking", 7)]
    assert bars.done == {"painting": 2, "attacking": 5}
    cost = VerifyReport.from_json(capsys.readouterr().out).cost
    assert cost is not None
    assert cost.evaluations == 2 * 2 + 5


class Bars:
    """Which bars are open, with their totals, and how far each came."""

    def __init__(self) -> None:
        self.open: list[tuple[str, int]] = []
        self.done: Counter[str] = Counter()

    @contextmanager
    def progress(self, label: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        self.open.append((label, total))
        try:
            yield lambda some: self.done.update({label: some})
        finally:
            self.open.remove((label, total))
