from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from threading import Event, Thread

import pytest

from surgery.cli import main
from surgery.cli.failures import GATE
from surgery.recipe import load_recipe
from surgery.report import ProbeReport, SurveyReport
from tests.helpers.probing import folder
from tests.test_startup import MODELS
from tests.test_startup import run as run_anew

Capture = pytest.CaptureFixture[str]
FEW = ("--prompts", "1", "--seeds", "1", "--steps", "2", "--guidance", "1", "--method", "locogen")
HALVES = (*FEW, "--window", "5", "--stride", "5")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*more: str, concept: str = "van gogh") -> int:
    return main(["probe", "atelier", "--concept", concept, *more])


def evaluations(capture: Capture) -> int:
    report = ProbeReport.from_json(capture.readouterr().out)
    assert report.cost is not None
    return report.cost.evaluations


def test_a_person_sees_the_places_with_their_effects_and_what_it_cost(capsys: Capture) -> None:
    assert run(*HALVES) == 0
    shown = capsys.readouterr().out
    for part in ("van gogh", "(none)", "(all)", "cross_attn.{k,v}[0:5]", "cross_attn.{k,v}[5:10]"):
        assert part in shown
    assert "denoiser evaluations" in shown and "judge atelier" in shown
    assert "\x1b" not in shown
    assert max(len(line) for line in shown.splitlines() if "cross_attn" in line) <= 120
    assert not list(Path().iterdir())


def test_a_program_reads_the_report_and_nothing_else(capsys: Capture) -> None:
    assert run(*HALVES, "--format", "json") == 0
    report = ProbeReport.from_json(capsys.readouterr().out)
    assert (report.concept, report.method, len(report.scores)) == ("van gogh", "locogen", 2)
    # Each of four runs of one picture, in two steps without guidance.
    assert report.cost is not None and report.cost.evaluations == 8


def test_quiet_names_the_place_to_edit_alone(capsys: Capture) -> None:
    assert run(*FEW, "--window", "10", "--format", "quiet") == 0
    assert capsys.readouterr().out == "cross_attn.{k,v}[0:10]\n"
    assert run(*FEW, "--window", "1", "--threshold", "1", "--format", "quiet") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("check", ["0", "1"])
def test_quick_glances_at_every_window_and_paints_the_best(check: str, capsys: Capture) -> None:
    given = (*FEW[:-2], "--check", check, "--format", "json")
    assert run(*given) == 0
    report = ProbeReport.from_json(capsys.readouterr().out)
    assert report.method == "quick"
    sites = [one.site for one in (*report.smaller, *report.scores)]
    # Windows of one to five of ten layers.
    assert len(sites) == len(set(sites)) == 10 + 9 + 8 + 7 + 6
    assert bool(report.checked) == (check == "1")
    assert run(*given) == 0
    assert evaluations(capsys) == 0
    assert run(*given[:-1], "human") == 0
    assert "van gogh" in capsys.readouterr().out


def test_weights_run_no_model(capsys: Capture) -> None:
    assert run("--method", "weights", "--format", "json") == 0
    report = ProbeReport.from_json(capsys.readouterr().out)
    assert report.cost is not None and report.cost.evaluations == 0
    assert any("hint" in note for note in report.notes)


@pytest.mark.parametrize("method", ["trace_unet", "trace_text"])
def test_every_other_probe_answers_in_the_same_forms(method: str, capsys: Capture) -> None:
    more = ("--steps", "1", "--draws", "1", "--noise", "5", "--batch", "32", "--method", method)
    given = (*FEW[:4], "--guidance", "1", *more)
    assert run(*given) == 0
    shown = capsys.readouterr().out
    assert "van gogh" in shown and "is not traced" in shown
    assert run(*given, "--format", "json") == 0
    assert evaluations(capsys) == 0
    assert run(*given, "--format", "quiet") == 0
    assert len(capsys.readouterr().out.splitlines()) <= 1


def test_without_a_concept_styles_objects_and_facts_are_told_apart(capsys: Capture) -> None:
    given = (*FEW[:4], "--steps", "1", "--guidance", "1", "--method", "locogen", "--window", "9")
    words = ["probe", "atelier", "--per-kind", "1", *given]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "style" in shown and "object" in shown and "fact" in shown
    assert main([*words, "--format", "json"]) == 0
    report = SurveyReport.from_json(capsys.readouterr().out)
    assert len(report.sorts) == len(report.reports) == 3
    assert main([*words, "--format", "quiet", "--kind", "style"]) == 0
    assert capsys.readouterr().out == report.sorts[0].site + "\n"


def test_reports_are_written_in_each_form(capsys: Capture) -> None:
    names = ("page.html", "values.json", "heat.png")
    assert run(*HALVES, *(word for name in names for word in ("--report", name))) == 0
    said = capsys.readouterr().err
    assert all(f"wrote {name}" in said for name in names)
    assert sorted(path.name for path in Path().iterdir()) == sorted(names)
    report = ProbeReport.from_json(Path("values.json").read_text("utf-8"))
    # Two anchors, two windows.
    assert len(report.pictures) == 4
    assert "<html" in Path("page.html").read_text("utf-8")
    assert Path("heat.png").read_bytes().startswith(b"\x89PNG")


def test_the_best_place_of_a_report_is_edited_as_it_is(capsys: Capture) -> None:
    assert run(*HALVES, "--report", "report.json") == 0
    Path("r.yaml").write_text(
        "version: 1\nname: r\nedits:\n  - method: locoedit\n"
        "    concepts: [{erase: van gogh, target: painting}]\n"
        "    where: {from: report.json, top: 1}\n",
        "utf-8",
    )
    assert main(["apply", "r.yaml", "-m", "atelier", "-o", "edited", "--allow-weak"]) in (0, GATE)
    assert Path("edited", "model_index.json").is_file()


def test_a_recipe_follows_that_can_be_read(capsys: Capture) -> None:
    assert run(*HALVES, "--recipe", "found.yaml") == 0
    shown = capsys.readouterr().err
    assert "wrote found.yaml" in shown and "surgery apply found.yaml" in shown
    assert load_recipe("found.yaml").edits
    assert "# " in Path("found.yaml").read_text("utf-8")


def test_what_was_measured_is_kept_in_the_cache(capsys: Capture, own_cache: Path) -> None:
    spent = []
    for more in ((), (), ("--fresh",), ("--batch", "1"), ("--journal", "j"), ("--journal", "j")):
        assert run(*HALVES, "--format", "json", *more) == 0
        spent.append(evaluations(capsys))
    assert spent == [8, 0, 8, 0, 8, 0]
    (kept,) = (own_cache / "surgery" / "probes").iterdir()
    assert kept.suffix == ".jsonl"
    assert [path.name for path in Path().iterdir()] == ["j"]


def interrupt_once_it_measures(journal: Path, ended: Event) -> None:
    """Ctrl-C after the first measurement; none where the probe ended without any."""
    while not ended.wait(0.01):
        if journal.exists() and journal.stat().st_size:
            os.kill(os.getpid(), signal.SIGINT)
            return


def test_ctrl_c_keeps_what_is_there_and_says_that_it_goes_on(capsys: Capture) -> None:
    given = ("--steps", "10", "--window", "1", "--batch", "1", "--journal", "j")
    words = ["probe", "atelier", "--concept", "van gogh", *FEW[:4], *FEW[6:], *given]
    ended = Event()
    watching = Thread(target=interrupt_once_it_measures, args=(Path("j"), ended), daemon=True)
    watching.start()
    try:
        assert main(words) == 130
    finally:
        ended.set()
        watching.join()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "kept in j: asked again, it goes on" in shown.err
    assert "interrupted" in shown.err.splitlines()[-1]
    assert "Traceback" not in shown.err
    kept = len([line for line in Path("j").read_text("utf-8").splitlines() if line])
    assert 1 <= kept < 12
    assert main([*words, "--format", "json"]) == 0
    report = ProbeReport.from_json(capsys.readouterr().out)
    assert report.cost is not None
    assert (report.cost.kept, report.cost.evaluations) == (kept, (12 - kept) * 10)


@pytest.mark.parametrize("format", ["human", "json", "quiet"])
def test_a_dry_run_counts_and_neither_runs_nor_writes(format: str, capsys: Capture) -> None:
    more = ("--dry-run", "--format", format, "--report", "x.html", "--recipe", "x.yaml")
    assert run(*HALVES, *more) == 0
    shown = capsys.readouterr().out
    if format == "json":
        document = json.loads(shown)
        assert document["kind"] == "forecast"
        (one,) = document["concepts"]
        assert (one["concept"], one["places"], one["evaluations"]) == ("van gogh", 2, 8)
    else:
        assert shown == "van gogh\n" if format == "quiet" else "nothing was run" in shown
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["probe", "--help"],
        ["probe", "atelier", "-c", "van gogh", "--method", "locogen", "--dry-run"],
        ["probe", "atelier", "--method", "trace_text", "--dry-run"],
    ],
)
def test_help_and_a_dry_run_load_no_network(words: list[str]) -> None:
    code, loaded = run_anew(*words)
    assert code == 0
    assert not loaded & MODELS


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--window", "99"), "a window of 99 layers, and the model has 10"),
        (("--report", "x.txt"), "a report named x.txt"),
        (("--report", "there.json"), "already there"),
        (("--recipe", "there.json"), "already there"),
        (("--report", "x.json", "--recipe", "x.json"), "x.json is asked for twice"),
        (("--report", "nowhere/x.json"), "its folder does not exist"),
        (("--recipe", "x.yaml", "--method", "trace_unet"), "no recipe follows from trace_unet"),
        (("--device", "nonsense"), "no device is called 'nonsense'"),
        (("--judge", "atelir"), "did you mean 'atelier'"),
        (("--judge", "clip", "--clip", "nowhere"), "nowhere"),
        (("--clip", "nowhere", "--judge", "noise"), "--clip names a model for --judge clip"),
        (("--target", "Van Gogh"), "both"),
        (("--prompt", "a picture of a star"), "a picture of a star"),
        (("--resolution", "7"), "7"),
        (("--config", "there"), "leave --config out"),
        (("--journal", "there.json/x"), "the journal cannot be written"),
        (("--method", "locogan"), "locogan"),
        (("--prompts", "0"), "--prompts"),
        (("--steps", "2000"), "2000 steps, and the model takes at most 999"),
        (("--first-seed", "9" * 30), "seeds go from 0"),
        (("--guidance", "nan"), "guidance must be a number, got nan"),
        (("--method", "trace_text", "--noise", "inf"), "noise must be a number, got inf"),
        (("--threshold", "2"), "--threshold"),
        (("--noise", "-1"), "--noise"),
        (("--kind", "person"), "person"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_one_sentence(
    more: tuple[str, ...], message: str, capsys: Capture
) -> None:
    Path("there.json").write_text("mine")
    assert run(*FEW, *more) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert len(shown.err.strip().splitlines()) <= 2
    assert "Traceback" not in shown.err
    assert [path.name for path in Path().iterdir()] == ["there.json"]
    assert Path("there.json").read_text() == "mine"


def test_a_concept_that_nothing_is_known_of_needs_its_kind(capsys: Capture) -> None:
    assert run(*FEW, concept="zdzislaw") == 2
    assert "is 'zdzislaw' a style, an object or a fact?" in capsys.readouterr().err
    assert run(*FEW, "--kind", "style", concept="zdzislaw") == 2
    assert "--judge noise judges every concept" in capsys.readouterr().err
    words = ("--kind", "style", "--judge", "noise", "--window", "10", "--steps", "1")
    assert run(*FEW, *words, concept="zdzislaw") == 0


def test_a_recipe_needs_a_concept(capsys: Capture) -> None:
    assert main(["probe", "atelier", *FEW, "--recipe", "x.yaml"]) == 2
    assert "a recipe without a concept" in capsys.readouterr().err


def test_force_replaces_what_is_there(capsys: Capture) -> None:
    Path("x.json").write_text("mine")
    assert run(*FEW, "--window", "10", "--report", "x.json", "--force") == 0
    assert ProbeReport.from_json(Path("x.json").read_text("utf-8")).concept == "van gogh"
    assert [path.name for path in Path().iterdir()] == ["x.json"]


def test_a_model_of_the_wide_world_is_probed_by_its_own_noise(capsys: Capture) -> None:
    words = ["probe", str(folder("if")), "--concept", "greg rutkowski", "--kind", "style", *FEW]
    assert main([*words, "--window", "9", "--format", "json"]) == 0
    report = ProbeReport.from_json(capsys.readouterr().out)
    assert (report.judge, report.settings["resolution"]) == ("noise", 16)


def test_own_prompts_take_the_place_of_built_in_ones(capsys: Capture) -> None:
    more = ("--prompt", "a star by {}", "--prompts", "5", "--window", "10", "--format", "json")
    assert run(*FEW, *more) == 0
    report = ProbeReport.from_json(capsys.readouterr().out)
    assert [source for source, _ in report.prompts] == ["a star by van gogh"]
