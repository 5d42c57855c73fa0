"""Probes of small models: the same whatever the batch and the file, kept, and without traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial

import pytest

from surgery.errors import UsageError
from surgery.hooks import intervene
from surgery.judges import Judge, Mark, Seen
from surgery.judges.noise import NoiseJudge
from surgery.localise.study import Study
from surgery.probes.locogen import LocoGen
from surgery.probes.trace_text import TraceText
from surgery.questions import Question
from surgery.report import ProbeReport
from surgery.stage import unwatched
from tests.helpers.probing import (
    FAMILIES,
    METHODS,
    QUESTION,
    ending_hook,
    farthest,
    hooked,
    judge_of,
    model,
    probed,
    single,
    small,
    study,
)


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@cache
def batched(family: str, method: str, batch: int) -> ProbeReport:
    loaded = model(family)
    asked = replace(short(family), batch=batch)
    return probed(loaded, small(method, loaded), asked, judge_of(family))


def short(family: str) -> Study:
    return study(prompts=2, seeds=1, guidance=3.0 if family == "atelier" else 1.0)


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


class Ending(Exception):
    pass


@contextmanager
def ending_stage(
    kind: type[BaseException], label: str, total: int
) -> Iterator[Callable[[int], None]]:
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


@pytest.mark.parametrize("kind", [Ending, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["stage", "judge", "cross_attn", "resnet", "text.mlp"])
def test_no_hook_is_left_by_a_probe_that_is_stopped(
    method: str, where: str, kind: type[BaseException]
) -> None:
    loaded = model("if")
    asked = study(seeds=2, batch=1)
    stage = partial(ending_stage, kind) if where == "stage" else unwatched
    judge: Judge = EndingJudge(kind) if where == "judge" else NoiseJudge()  # type: ignore[assignment]
    hooks = [] if where in ("stage", "judge") else [ending_hook(loaded, where, kind)]
    with pytest.raises(kind), intervene(hooks):
        probed(loaded, small(method, loaded), asked, judge, stage=stage)
    assert not hooked(loaded)


def test_a_report_says_what_was_measured_and_comes_back_from_json(method: str) -> None:
    report = batched("atelier", method, 8)
    assert ProbeReport.from_json(report.to_json()) == report
    assert (report.method, report.concept, report.target) == (method, "van gogh", "painting")
    assert report.best == ("least" if method in ("locogen", "quick") else "most")
    assert report.prompts == tuple((one.source, one.target) for one in QUESTION.pairs)
    assert {"steps", "guidance", "seeds", "resolution", "dtype"} <= report.settings.keys()
    assert report.fingerprint and report.judge.startswith("atelier") and report.notes
    assert report.cost is not None and report.cost.evaluations > 0 and report.cost.peak_mb > 10
    assert not report.pictures


def test_windows_grow_and_those_that_did_not_suffice_are_told_apart() -> None:
    loaded = model("if")
    report = probed(loaded, LocoGen(threshold=9.0), study(seeds=1, steps=1, guidance=1.0))
    assert [len(report.smaller), len(report.scores)] == [10 + 9 + 8 + 7, 6]
    assert report.found == ""
    assert report.notes[0].startswith("No window")


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
