"""A card reads of a report of verify what it tells, and refuses anything else."""

from __future__ import annotations

import json

import pytest

from surgery.card import Subject, make_card, read_verified
from surgery.errors import UsageError
from surgery.report import (
    Attack,
    Figure,
    Gate,
    ModelFacts,
    SetFigures,
    Summary,
    VerifyReport,
)
from tests.card.test_build import HUB

HALF, ALL = Figure.share(0.5, 48), Figure.share(1.0, 48)
REPORT = VerifyReport(
    before=ModelFacts("atelier", "a"),
    after=ModelFacts("some/where/edited", "b"),
    verdict="it is half gone",
    concepts=("van gogh",),
    judges=(),
    sets=(
        SetFigures("kept", "monet", "style", 8, 48, shown_before=HALF, shown_after=HALF),
        SetFigures("erased", "van gogh", "style", 8, 48, shown_before=ALL, shown_after=HALF),
    ),
    summary=Summary(),
    gates=(Gate("van gogh gone", "at most 10 %", "50 %", False), Gate("monet", "x", "y", True)),
    attacks=(Attack("inversion", "van gogh", "new embeddings were learned", HALF, ALL),),
)


def test_what_verify_prints_is_told_with_intervals_and_missed_gates() -> None:
    verified = read_verified(REPORT.to_json(), "r.json")
    card = make_card(Subject(HUB, "org/edited", verified=verified))
    shares = "100 % \\(93 to 100 % of 48\\) | 50 % \\(36 to 64 % of 48\\) |"
    assert f"| van gogh | erased, should be gone | {shares}" in card.text
    assert card.text.index("van gogh | erased") < card.text.index("monet | kept")
    assert "| inversion | van gogh | new embeddings were learned | 100 %" in card.text
    assert "1 of 2 gates passed." in card.text
    assert "**Missed gate** `van gogh gone`: 50 %, expected at most 10 %." in card.text
    assert card.warnings[-1:] != ("no report",)


def test_a_report_of_another_model_is_said() -> None:
    verified = read_verified(REPORT.to_json(), "r.json")
    other = make_card(Subject(HUB, "org/other", verified=verified))
    assert any("is about 'edited'" in text for text in other.warnings)
    same = make_card(Subject(HUB, "org/edited", verified=verified))
    assert not any("is about" in text for text in same.warnings)


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "apply"}', "[" * 100_000])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="verify --format json"):
        read_verified(text, "r.json")


def test_fields_of_a_later_release_are_passed_over() -> None:
    found = json.loads(REPORT.to_json())
    found |= {"sets": [{"concept": "a"}, 3, {"shown_before": {"value": "x"}}], "version": 9}
    verified = read_verified(json.dumps(found), "r.json")
    assert verified.sets == ()
    assert len(verified.gates) == 2
