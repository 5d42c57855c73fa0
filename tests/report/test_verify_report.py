"""A verification reads back as it was, and knows what it missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.errors import UsageError
from surgery.report import (
    Attack,
    BlockChange,
    Cost,
    Figure,
    Gate,
    JudgeFacts,
    Marks,
    ModelFacts,
    PicturePair,
    Row,
    SetFigures,
    Share,
    Summary,
    VerifyReport,
)

SHARE = Figure.share(0.1, 40)
MARKS = Marks(True, False, 0.9, 0.1, "van gogh", "plain", True, True, 25.0, 20.0, 0.4)
PAIR = PicturePair("a star", 7, "erased", "van gogh", "aa", "bb", MARKS)
REPORT = VerifyReport(
    before=ModelFacts("org/base@abc", "aa", "abc"),
    after=ModelFacts("out", "bb"),
    verdict="gone",
    concepts=("van gogh",),
    judges=(JudgeFacts("clip", "org/clip", "abc", "alignment", "100 x cosine"),),
    sets=(SetFigures("erased", "van gogh", "style", 20, 40, SHARE, more={"content": SHARE}),),
    summary=Summary(ua=SHARE, harmonic=SHARE),
    gates=(Gate("kept", "at least 90.0%", "80%", False, 0.1), Gate("erased", "", "", True)),
    rows=(Row("erased", "van gogh", "a star", 7, MARKS),),
    attacks=(Attack("rece", "van gogh", "tried", SHARE, SHARE, ("x",), SHARE, {"n": 1}, (PAIR,)),),
    pictures=(PAIR,),
    blocks=(BlockChange("unet", 1, 2, 0.1, 0.2),),
    settings={"steps": 20, "guidance": 3.0},
    environment={"torch": "2"},
    cost=Cost(1, 2.0, 3.0),
    notes=("a note",),
)


def test_a_report_reads_back_as_it_was() -> None:
    assert VerifyReport.from_json(REPORT.to_json()) == REPORT


def test_a_missed_gate_fails_the_whole() -> None:
    assert not REPORT.passed
    assert [gate.name for gate in REPORT.missed] == ["kept"]
    assert replace(REPORT, gates=REPORT.gates[1:]).passed


def test_sets_are_found_by_their_group() -> None:
    assert REPORT.of("erased", "kept") == REPORT.sets
    assert REPORT.of("kept") == ()


def test_a_share_has_the_interval_of_wilson() -> None:
    share = Share.of(0.1, 40)
    assert (SHARE.low, SHARE.high, SHARE.how) == (share.low, share.high, "wilson")
    assert Figure.share(1.0, 7).high == 1.0
    assert Figure.share(0.0, 7).low == 0.0


def test_another_kind_of_report_is_refused() -> None:
    with pytest.raises(UsageError, match="not a verify report"):
        VerifyReport.from_json('{"kind": "exam", "version": 1}')


def test_pictures_are_left_out_of_what_a_developer_sees() -> None:
    assert "bb" not in repr(PAIR)
