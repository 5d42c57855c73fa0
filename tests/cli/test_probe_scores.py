"""`surgery probe` by what single weights count: the table, the files, the next command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from torch import Tensor

from surgery.cli import main
from surgery.cli.plain import plain_lines
from surgery.cli.probe_files import cache
from surgery.cli.probe_scores import score_page
from surgery.report import ComponentReport
from surgery.score_file import read_scores
from surgery.scores.progress import Progress
from tests.helpers.component_reports import attribution, hostile
from tests.helpers.probing import folder

Capture = pytest.CaptureFixture[str]
FEW = ("--method", "conceptprune", "--prompts", "1", "--seeds", "1", "--steps", "1")
ASKED = ("--concept", "van gogh", "--kind", "style", *FEW)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*more: str) -> int:
    return main(["probe", str(folder("sd1")), *ASKED, *more])


def test_scores_report_and_recipe_are_written_and_the_recipe_is_applied(capsys: Capture) -> None:
    files = ["--scores", "s.safetensors", "--recipe", "mask.yaml"]
    files += [word for ending in ("html", "png", "json") for word in ("--report", f"r.{ending}")]
    assert run(*files) == 0
    said = capsys.readouterr()
    assert "The weights that stand out" in said.out
    assert "surgery apply mask.yaml" in said.err
    assert read_scores("s.safetensors").method == "conceptprune"
    report = ComponentReport.from_json(Path("r.json").read_text("utf-8"))
    assert report.scores == "s.safetensors"
    assert Path("r.html").stat().st_size and Path("r.png").stat().st_size
    assert main(["apply", "mask.yaml", "-m", str(folder("sd1")), "--dry-run"]) == 0
    assert "weights set to zero" in capsys.readouterr().out


def test_one_score_file_serves_every_ratio_of_a_sweep(capsys: Capture) -> None:
    assert run("--scores", "s.safetensors", "--recipe", "mask.yaml", "--format", "quiet") == 0
    capsys.readouterr()
    grid = ["--grid", "ratio=0.05,0.2,0.5", "--format", "json"]
    assert main(["tune", "mask.yaml", "-m", str(folder("sd1")), *grid, "-o", "t.yaml"]) == 0
    points = json.loads(capsys.readouterr().out)["points"]
    drifts = [point["neutral"]["median"] for point in points[1:]]
    assert len(points) == 4 and drifts == sorted(drifts) and drifts[0] < drifts[-1]


def neurons(*more: str) -> int:
    asked = ("--concept", "van gogh", "--kind", "style", "--method", "neurons", "--prompts", "4")
    return main(["probe", str(folder("sd1")), *asked, *more])


def test_a_recipe_of_neurons_drops_directions_and_is_applied(capsys: Capture) -> None:
    assert neurons("--recipe", "drop.yaml") == 0
    assert "# Rows alone do little" in Path("drop.yaml").read_text("utf-8")
    capsys.readouterr()
    assert main(["apply", "drop.yaml", "--dry-run", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert all("to_v" in one["name"] and one["rank"] for one in told["tensors"])


def test_scores_that_no_edit_takes_are_kept_without_a_recipe(capsys: Capture) -> None:
    kept = ("--scores", "s.safetensors", "--where", "ff.in[0]", "--seeds", "1", "--steps", "1")
    assert neurons(*kept, "--recipe", "drop.yaml") == 2
    said = capsys.readouterr().err
    assert "no recipe follows from scores of ff.in[0]" in said and "leave --recipe out" in said
    assert not list(Path().iterdir())
    assert neurons(*kept) == 0
    assert [one.name for one in Path().iterdir()] == ["s.safetensors"]


def test_a_dry_run_counts_and_runs_nothing(capsys: Capture) -> None:
    assert run("--dry-run") == 0
    assert "nothing was run" in capsys.readouterr().out
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--recipe", "mask.yaml"), "scores that are not kept"),
        (("--scores", "s.pt"), "end it in .safetensors"),
        (("--where", "ff.sideways"), "selects nothing"),
        (("--base", "empty"), "conceptprune has no --base"),
    ],
)
def test_a_mistake_is_one_sentence(capsys: Capture, more: tuple[str, ...], said: str) -> None:
    assert run(*more) == 2
    assert said in capsys.readouterr().err
    assert not list(Path().iterdir())


def test_probes_of_places_keep_no_scores(capsys: Capture) -> None:
    asked = ["probe", str(folder("sd1")), "--concept", "van gogh", "--kind", "style"]
    assert main([*asked, "--scores", "s.safetensors"]) == 2
    assert "quick makes no --scores" in capsys.readouterr().err


def test_a_page_shows_both_sides_and_how_far_scores_can_be_trusted() -> None:
    text = "\n".join(plain_lines(score_page(attribution())))
    assert "ff.in[4][0, 7]" in text and "ff.out[2][3, 0]" in text
    assert "r = 0.51 (0.40 to 0.61)" in text and "1,200 denoiser evaluations" in text


def test_a_page_of_nothing_is_a_page_too() -> None:
    text = "\n".join(plain_lines(score_page(hostile())))
    assert "ff.out[0]" in text and "\x1b" not in text


ATTRIBUTION = ("--method", "attribution", "--prompts", "1", "--seeds", "1", "--steps", "3",
               "--concept", "van gogh", "--kind", "style", "--where", "ff.out[0:2]")  # fmt: skip


def attribute(*more: str) -> int:
    return main(["probe", str(folder("sd1")), *ATTRIBUTION, "--format", "json", *more])


def kept() -> list[Path]:
    return list(cache().glob("probes/*.safetensors"))


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def interrupted(own_cache: None, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> str:
    """What is said when somebody stops the third step of three, two being kept."""
    write = Progress.write

    def stopping(self: Progress, steps: int, found: Mapping[str, Tensor]) -> None:
        if steps == 3:
            raise KeyboardInterrupt
        write(self, steps, found)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "write", stopping)
        assert attribute("--scores", "s.safetensors") == 130
    assert not Path("s.safetensors").exists()
    return capsys.readouterr().err


def test_an_interrupted_attribution_goes_on_to_the_same_bits(
    interrupted: str, capsys: Capture
) -> None:
    (file,) = kept()
    assert f"kept in {file}: asked again, it goes on" in plain(interrupted)
    assert attribute("--scores", "s.safetensors") == 0
    resumed = json.loads(capsys.readouterr().out)
    assert not kept()
    assert attribute("--scores", "whole.safetensors") == 0
    whole = json.loads(capsys.readouterr().out)
    assert Path("s.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()
    assert 0 < resumed["cost"]["evaluations"] < whole["cost"]["evaluations"] / 2


def test_fresh_passes_over_what_was_kept(interrupted: str, capsys: Capture) -> None:
    assert attribute("--fresh") == 0
    fresh = json.loads(capsys.readouterr().out)
    assert attribute() == 0
    assert (
        fresh["cost"]["evaluations"] == json.loads(capsys.readouterr().out)["cost"]["evaluations"]
    )
    assert not kept()


def test_another_question_leaves_what_was_kept_alone(interrupted: str) -> None:
    before = kept()
    assert attribute("--first-seed", "7") == 0
    assert kept() == before


@pytest.mark.parametrize("more", [(), ("--fresh",)])
def test_a_file_that_is_something_else_is_not_overwritten(
    own_cache: None, more: tuple[str, ...]
) -> None:
    Path("mine.safetensors").write_bytes(b"mine")
    assert attribute("--journal", "mine.safetensors", *more) == 2
    assert Path("mine.safetensors").read_bytes() == b"mine"


def test_the_linearity_of_scores_is_measured_where_that_is_asked(
    own_cache: None, capsys: Capture
) -> None:
    assert attribute("--linearity", "4", "--checkpointing") == 0
    report = json.loads(capsys.readouterr().out)
    found = report["linearity"]
    assert found["count"] == 4
    assert -1 <= found["low"] <= found["r"] <= found["high"] <= 1
    assert any("zeroes 0.1% of all scored weights" in note for note in report["notes"])
    assert attribute() == 0
    report = json.loads(capsys.readouterr().out)
    assert report["linearity"] is None
    assert any("--linearity 100" in note for note in report["notes"])


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--linearity", "3"), "4 masks or more"),
     (("--method", "neurons", "--linearity", "9"), "neurons has no --linearity")],
)  # fmt: skip
def test_masks_that_tell_nothing_are_refused(
    capsys: Capture, more: tuple[str, ...], said: str
) -> None:
    assert attribute(*more) == 2
    assert said in capsys.readouterr().err


def plain(text: str) -> str:
    """Without line breaks that a narrow terminal puts in."""
    return text.replace("\n", "")
