"""Sets of prompts in words: shares as percentages, gates found by their set, nothing made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.report import Figure, Gate, Marks
from surgery.report.sets import (
    ASKED,
    gate_of,
    is_erased,
    measured,
    missed_by,
    number,
    pictures_of,
    plain,
    seen,
    share,
    went_right,
)
from surgery.report.verify import GROUPS, Group
from tests.helpers.verify_parts import VAN_GOGH
from tests.helpers.verify_reports import gates, shown


def test_every_group_has_words() -> None:
    assert set(ASKED) == set(GROUPS)


def test_other_words_for_the_concept_ask_for_what_should_be_gone() -> None:
    erased = [group for group in GROUPS if is_erased(group)]
    assert erased == ["erased", "synonym", "paraphrase", "misspelling"]


def test_a_share_has_its_interval_and_no_figure_is_a_dash() -> None:
    assert share(Figure(0.04, 0.01, 0.09, 40, "wilson")) == "4 % (1 to 9)"
    assert share(None) == plain(None) == "-"


def test_a_measure_reads_as_a_percentage_where_it_is_a_share() -> None:
    assert measured("content", Figure(0.5, 0.2, 0.8, 4)) == "50 % (20 to 80)"
    assert measured("lpips", Figure(0.5, 0.2, 0.8, 4)) == "0.5 (0.2 to 0.8)"
    assert plain(Figure(24.11, 23.8, 24.5, 10)) == "24.1 (23.8 to 24.5)"
    assert plain(Figure(18.2, 18.2, 18.2, 10, "none")) == "18.2"


def test_large_numbers_are_whole() -> None:
    assert (number(12345.6), number(0.01234), number(-3.0)) == ("12,346", "0.0123", "-3")


def test_what_pictures_show_instead_is_told_where_it_is_something_else() -> None:
    assert pictures_of(shown("erased", VAN_GOGH, 1.0, 0.0)) == "48 pictures, now mostly plain"
    assert pictures_of(shown("kept", "monet", 1.0, 1.0, 1)) == "1 picture"


@pytest.mark.parametrize(
    ("group", "before", "after", "right"),
    [
        ("erased", True, False, True),
        ("misspelling", False, True, False),
        ("kept", True, True, True),
        ("kept", True, False, False),
        ("kept", False, False, None),
        ("unrelated", True, False, False),
        ("unrelated", None, None, None),
        ("given", True, False, None),
        ("erased", None, None, None),
    ],
)
def test_a_picture_is_right_when_it_shows_what_it_should(
    group: Group, before: bool | None, after: bool | None, right: bool | None
) -> None:
    assert went_right(group, Marks(before, after)) is right


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (Marks(True, False, seen_before="monet", seen_after="plain"), "monet → plain"),
        (Marks(True, True, seen_before="monet", seen_after="monet"), "monet"),
        (Marks(True, False), "monet is not seen"),
        (Marks(True, True), "monet is seen"),
        (Marks(clip_before=31.2, clip_after=24.0), "CLIP 31.2 → 24"),
        (Marks(), ""),
    ],
)
def test_what_a_judge_saw_is_told_in_a_few_words(marks: Marks, words: str) -> None:
    assert seen("monet", marks) == words


def test_a_set_finds_its_own_gate() -> None:
    one = gate_of(shown("misspelling", VAN_GOGH, 1, 0), gates())
    assert one is not None
    assert one.name == "misspellings: van gogh"
    assert gate_of(shown("unrelated", "captions", 1, 1), gates()) is None
    assert gate_of(shown("erased", "monet", 1, 1), gates()) is None


def test_the_gate_on_the_weakest_passes_every_kept_set_and_fails_only_its_own() -> None:
    monet, flag = shown("kept", "monet", 1, 1), shown("kept", "the flag of freedonia", 1, 0.5)
    weakest = gates()[-1]
    assert gate_of(monet, gates()) == gate_of(flag, gates()) == weakest
    missed = replace(weakest, passed=False)
    assert gate_of(monet, (missed,)) is None
    assert gate_of(flag, (missed,)) == missed


def test_a_miss_says_by_how_much() -> None:
    assert (
        missed_by(Gate("erased: x", "at most 10.0%", "13%", False, 0.031)) == "missed by 3.1 points"
    )
    assert missed_by(Gate("distance", "at most 0.3", "0.42", False, 0.12)) == "missed by 0.12"
    assert missed_by(Gate("untouched", "bit-identical", "no", False)) == "missed"
    assert missed_by(Gate("kept", "at least 90.0%", "95%", True)) == "passed"
