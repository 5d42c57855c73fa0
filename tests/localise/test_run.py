"""Probes of small models: the same whatever the batch and the file, kept, and without traces."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import pytest
from torch import Tensor

from surgery.errors import UsageError
from surgery.hooks import Hook, intervene
from surgery.judges import Judge, Mark, Seen
from surgery.judges.noise import NoiseJudge
from surgery.localise.journal import Journal
from surgery.localise.run import run_probe
from surgery.localise.study import Study
from surgery.model import DiffusersModel, load_model
from surgery.probes.base import Probe
from surgery.probes.locogen import LocoGen
from surgery.probes.trace_text import TraceText
from surgery.probes.trace_unet import TraceUnet
from surgery.questions import Question
from surgery.report import ProbeReport
from surgery.runs import Sampling
from tests.helpers.probing import (
    FAMILIES,
    QUESTION,
    few,
    folder,
    hooked,
    judge_of,
    model,
    probed,
    single,
    study,
)

PROBES: dict[str, Probe] = {
    "locogen": LocoGen(window=3, stride=4),
    "trace_unet": TraceUnet(),
    "trace_text": TraceText(),
}
Figures = dict[tuple[str, str], tuple[float, float]]


@pytest.fixture(params=PROBES)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


def small(method: str, loaded: DiffusersModel, places: int = 4) -> Probe:
    return few(PROBES[method], loaded, places)  # type: ignore[return-value]


@cache
def batched(family: str, method: str, batch: int) -> ProbeReport:
    loaded = model(family)
    asked = replace(short(family), batch=batch)
    return probed(loaded, small(method, loaded), asked, judge_of(family))


def short(family: str) -> Study:
    return study(prompts=2, seeds=1, guidance=3.0 if family == "atelier" else 1.0)


def figures(report: ProbeReport) -> Figures:
    return {
        (one.site, one.column): (one.mean, one.effect) for one in (*report.anchors, *report.scores)
    }


def farthest(one: ProbeReport, other: ProbeReport) -> float:
    mine, theirs = figures(one), figures(other)
    assert mine.keys() == theirs.keys()
    pairs = [pair for key in mine for pair in zip(mine[key], theirs[key], strict=True)]
    return max(abs(here - there) for here, there in pairs)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_the_same_in_batches_of_one_and_of_eight(family: str, method: str) -> None:
    together, alone = (batched(family, method, batch) for batch in (8, 1))
    assert farthest(together, alone) < 1e-4
    assert not hooked(model(family))
    first, last = together.anchors
    assert abs(first.mean - last.mean) > 0.01
    assert [first.effect, last.effect] == pytest.approx([0, 1])


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_scores_are_the_same_from_a_folder_and_from_a_single_file(family: str, method: str) -> None:
    loaded = single(family)
    report = probed(loaded, small(method, loaded), short(family))
    assert farthest(report, batched(family, method, 8)) < 1e-4


# What ends a probe, and where.


class Ending(Exception):
    pass


@contextmanager
def ending_stage(kind: type[BaseException], label: str, total: int) -> Iterator[Callable[[int], None]]:
    done = []

    def advance(rows: int) -> None:
        done.append(rows)
        if len(done) == 2:
            raise kind

    yield advance


@dataclass(frozen=True)
class EndingJudge:
    """Ends when it is asked."""

    kind: type[BaseException]
    name: str = "ending"
    sees: str = "pictures"
    anchored: bool = True

    def best(self, sort: str) -> str:
        return "least"

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        raise self.kind


def ending_hook(loaded: DiffusersModel, module: str, kind: type[BaseException]) -> Hook:
    calls = []

    def change(output: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise kind
        return output

    return Hook(loaded.modules(module)[-1], "output", change)


@pytest.mark.parametrize("kind", [Ending, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["stage", "judge", "cross_attn", "resnet", "text.mlp"])
def test_no_hook_is_left_by_a_probe_that_is_stopped(
    method: str, where: str, kind: type[BaseException]
) -> None:
    loaded = model("if")
    asked = study(seeds=2, batch=1)
    stage = partial(ending_stage, kind) if where == "stage" else None
    given = {"stage": stage} if stage else {}
    judge: Judge = EndingJudge(kind) if where == "judge" else NoiseJudge()  # type: ignore[assignment]
    hooks = [] if where in ("stage", "judge") else [ending_hook(loaded, where, kind)]
    with pytest.raises(kind), intervene(hooks):
        run_probe(loaded, small(method, loaded), judge, asked, address="here", **given)
    assert not hooked(loaded)


# The journal.


def evaluated(asked: Study, journal: Journal, **more: object) -> int:
    """What it costs to probe the smallest model for one window."""
    report = probed(model("if"), LocoGen(window=10), asked, journal=journal, **more)  # type: ignore[arg-type]
    assert report.cost is not None
    return report.cost.evaluations


def test_what_is_kept_is_not_run_again(tmp_path: Path, method: str) -> None:
    loaded, asked = model("if"), study()
    probe = small(method, loaded)
    first = probed(loaded, probe, asked, journal=Journal(tmp_path / "j"))
    again = probed(loaded, probe, asked, journal=Journal(tmp_path / "j"))
    assert first.cost and again.cost
    assert (first.cost.evaluations > 0, first.cost.kept) == (True, 0)
    runs = sum(one.count for one in (*first.anchors, *first.scores))
    assert (again.cost.evaluations, again.cost.kept) == (0, runs)
    assert replace(again, cost=None) == replace(first, cost=None)


def test_a_stopped_probe_goes_on_where_it_was(tmp_path: Path, method: str) -> None:
    loaded, asked = model("atelier"), study(seeds=1, batch=2, steps=1, guidance=1.0)
    probe, judge = small(method, loaded), judge_of("atelier")
    whole = probed(loaded, probe, asked, judge)
    stops = ending_hook(loaded, "resnet", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), intervene([stops]):
        probed(loaded, probe, asked, judge, Journal(tmp_path / "j"))
    before = loaded.evaluations
    later = probed(loaded, probe, asked, judge, Journal(tmp_path / "j"))
    assert later.cost and whole.cost
    # Two batches of two rows each were measured before.
    assert later.cost.kept == 4
    assert loaded.evaluations - before == later.cost.evaluations
    companions = 1 if method == "trace_unet" else 0
    assert later.cost.evaluations == whole.cost.evaluations - 4 - companions
    assert figures(later).keys() == figures(whole).keys()
    assert farthest(later, whole) < 1e-6


def test_a_torn_last_line_is_measured_again(tmp_path: Path) -> None:
    asked, file = study(seeds=1, steps=1, guidance=1.0), tmp_path / "j"
    assert evaluated(asked, Journal(file)) == 3 + 2 - 2
    file.write_bytes(file.read_bytes()[:-9])
    # The row itself, and the two anchors that the judge holds it against.
    assert evaluated(asked, Journal(file)) == 3
    assert evaluated(asked, Journal(file)) == 0


def test_every_changed_setting_is_another_measurement(tmp_path: Path) -> None:
    asked, file = study(seeds=1, steps=1, guidance=1.0), tmp_path / "j"
    spent = evaluated(asked, Journal(file))
    assert evaluated(replace(asked, batch=1), Journal(file)) == 0
    pair = QUESTION.pairs[0]
    sampling = asked.sampling
    changed = [
        replace(asked, sampling=replace(sampling, guidance=1.5)),
        replace(asked, sampling=Sampling(2, 1.0)),
        replace(asked, seeds=(7,)),
        replace(asked, noises=(4.0,)),
        *(
            replace(asked, question=replace(asked.question, **{key: value}))
            for key, value in {
                "concept": "gogh",
                "target": "photo",
                "sort": "object",
                "pairs": (replace(pair, target="a green ball"),),
            }.items()
        ),
        replace(asked, question=replace(asked.question, pairs=(replace(pair, subject="gogh"),))),
    ]
    for one in changed:
        assert evaluated(one, Journal(file)) >= spent
        assert evaluated(one, Journal(file)) == 0
    assert evaluated(asked, Journal(file), judge=Other()) == spent
    assert evaluated(asked, Journal(file, fresh=True)) == spent


class Other(NoiseJudge):
    name = "other"


def test_an_edited_model_is_measured_again(tmp_path: Path) -> None:
    journal, asked = Journal(tmp_path / "j"), study(seeds=1, steps=1, guidance=1.0)
    reports = [
        probed(model(family), LocoGen(window=16), asked, journal=journal)
        for family in ("sd1", "sd2", "sd1")
    ]
    assert [one.cost.evaluations > 0 for one in reports if one.cost] == [True, True, False]


def test_another_tokenizer_or_scheduler_is_another_measurement(tmp_path: Path) -> None:
    journal, asked = Journal(tmp_path / "j"), study(seeds=1, steps=1, guidance=1.0)
    place = tmp_path / "model"
    shutil.copytree(folder("if"), place)

    def spent() -> int:
        report = probed(load_model(place), LocoGen(window=10), asked, journal=journal)
        assert report.cost is not None
        return report.cost.evaluations

    assert (spent(), spent()) == (3, 0)
    config = place / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text("utf-8").replace("squaredcos_cap_v2", "linear"), "utf-8")
    assert (spent(), spent()) == (3, 0)
    tokenizer = place / "tokenizer" / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text("utf-8").replace("▁gogh", "▁goth"), "utf-8")
    assert (spent(), spent()) == (3, 0)


# The report.


def test_a_report_says_what_was_measured_and_comes_back_from_json(method: str) -> None:
    report = batched("atelier", method, 8)
    assert ProbeReport.from_json(report.to_json()) == report
    assert (report.method, report.concept, report.target) == (method, "van gogh", "painting")
    assert report.best == ("least" if method == "locogen" else "most")
    assert report.prompts == tuple((one.source, one.target) for one in QUESTION.pairs)
    assert {"steps", "guidance", "seeds", "resolution", "dtype"} <= report.settings.keys()
    assert report.fingerprint and report.judge.startswith("atelier") and report.notes
    assert report.cost is not None and report.cost.evaluations > 0 and report.cost.peak_mb > 10
    assert not report.pictures


def test_pictures_are_kept_where_they_are_asked_for_also_of_what_was_measured_before() -> None:
    loaded, journal = model("if"), Journal()
    asked, probe = study(steps=1), LocoGen(window=9)
    plain = probed(loaded, probe, asked, journal=journal)
    shown = probed(loaded, probe, replace(asked, thumbnails=True), journal=journal)
    assert not plain.pictures
    assert [one.site for one in shown.pictures] == [
        "none",
        "all",
        *(one.site for one in shown.scores),
    ]
    assert all(one.png for one in shown.pictures)
    assert farthest(shown, plain) < 1e-6
    assert not probed(loaded, probe, asked, journal=journal).pictures


def test_windows_grow_and_those_that_did_not_suffice_are_told_apart() -> None:
    loaded = model("if")
    report = probed(loaded, LocoGen(threshold=9.0), study(seeds=1, steps=1, guidance=1.0))
    assert [len(report.smaller), len(report.scores)] == [10 + 9 + 8 + 7, 6]
    assert report.found == ""
    assert "No window of up to half the layers" in report.notes[0]


def test_the_least_noise_that_takes_the_concept_away_is_used() -> None:
    loaded, asked = model("atelier"), study(seeds=2, steps=2, noises=(0.0, 40.0, 50.0))
    judge = Sure()
    report = probed(loaded, TraceText(parts=("layer",), roles=("last",)), asked, judge)
    assert report.settings["noise"] == 40.0
    corrupted, clean = report.anchors
    assert corrupted.shown and clean.shown
    assert (corrupted.shown.value, clean.shown.value) == (0.0, 1.0)


class Sure:
    """Sees the concept where a run is as it was without noise."""

    name, sees, anchored = "sure", "latents", True

    def best(self, sort: str) -> str:
        return "least"

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        assert seen.target is not None
        # The second anchor of a probe that restores is the clean run.
        far = (seen.latents - seen.target).abs().amax((1, 2, 3)).tolist()
        return [Mark(-one, one < 1e-3) for one in far]


def test_a_window_that_is_too_wide_is_refused_before_anything_is_measured() -> None:
    loaded = model("if")
    before = loaded.evaluations
    with pytest.raises(UsageError, match="a window of 99 layers, and the model has 10"):
        probed(loaded, LocoGen(window=99), study())
    assert loaded.evaluations == before


def test_numbers_that_overflow_are_one_sentence() -> None:
    with pytest.raises(UsageError, match="in float32 the model's numbers overflow") as caught:
        probed(model("if"), LocoGen(window=9), study(steps=1, guidance=float("inf")))
    assert "--dtype" in str(caught.value)
    assert not hooked(model("if"))
