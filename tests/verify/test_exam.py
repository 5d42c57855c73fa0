"""The bench of recipes compares two models by what the judge reads, and says what passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.atelier.exam import PromptSet, SetReading
from surgery.atelier.world import Scene
from surgery.errors import UsageError
from surgery.verify import Judged, Limits, compared, judged
from tests.helpers.tiny import write_pipeline

STAR = Scene("star", "red", "van gogh")
PLAIN = Scene("star", "red")
MONET = Scene("star", "red", "monet")


def _answers(gogh: list[Scene], monet: list[Scene]) -> Judged:
    asked = PromptSet("van gogh", "style", ("a",) * len(gogh), (STAR,) * len(gogh))
    kept = PromptSet("monet", "style", ("b",) * len(monet), (MONET,) * len(monet))
    return Judged("x", (SetReading(asked, tuple(gogh)), SetReading(kept, tuple(monet))))


BEFORE = _answers([STAR] * 10, [MONET] * 10)


def test_passes_when_the_concept_is_gone_and_the_rest_is_there() -> None:
    report = compared(BEFORE, _answers([PLAIN] * 10, [MONET] * 10), ["van gogh"])
    assert report.passed
    gone, kept = report.sets
    assert (gone.concept_before.value, gone.concept_after.value, gone.became) == (1.0, 0.0, "plain")
    assert (kept.concept_after.value, kept.became, kept.erased) == (1.0, "monet", False)


@pytest.mark.parametrize(
    ("gogh", "monet", "missed"),
    [
        ([STAR] * 2 + [PLAIN] * 8, [MONET] * 10, "van gogh gone"),
        ([PLAIN] * 10, [MONET] * 8 + [PLAIN] * 2, "monet kept"),
        ([PLAIN] * 9 + [Scene("ball", "red")], [MONET] * 10, "things in 'van gogh' prompts kept"),
    ],
)
def test_a_miss_names_its_gate(gogh: list[Scene], monet: list[Scene], missed: str) -> None:
    report = compared(BEFORE, _answers(gogh, monet), ["van gogh"])
    assert [gate.name for gate in report.gates if not gate.passed] == [missed]


def test_limits_are_the_callers() -> None:
    after = _answers([STAR] * 2 + [PLAIN] * 8, [MONET] * 10)
    assert compared(BEFORE, after, ["van gogh"], Limits(erased=0.2)).passed


def test_refuses_a_model_that_the_judge_would_misread(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no judge for this model"):
        judged(write_pipeline(tmp_path / "model"), ())
