"""Marks become shares, changes and means, each with an honest interval."""

from __future__ import annotations

import pytest

from surgery.report.verify import Figure, Marks, Row
from surgery.verify.tally import change, mean, retained, share, shown_change
from tests.verify.build import asked, figures, marked, rows, shown


def after(marks: Marks) -> bool | None:
    return marks.shown_after


def test_a_share_of_single_pictures_has_wilsons_interval() -> None:
    assert share(shown("erased", "a", 40, 0, 40), after) == Figure.share(0.0, 40)


def test_a_share_of_many_pictures_of_few_prompts_is_less_sure() -> None:
    alike = [
        Row("erased", "a", f"prompt {number // 20}", number, Marks(True, number < 20))
        for number in range(40)
    ]
    found = share(alike, after)
    assert found is not None
    assert (found.low, found.high, found.how) == (0.0, 1.0, "bootstrap")


def test_pictures_that_the_judge_cannot_read_do_not_count() -> None:
    found = share(rows("erased", "a", [None] * 3, [True, None, True]), after)
    assert found is not None
    assert (found.value, found.count) == (1.0, 2)
    assert share(rows("erased", "a", [None], [None]), after) is None


def test_a_change_is_taken_over_pairs() -> None:
    found = shown_change(rows("kept", "a", [True, True, False], [True, False, True]))
    assert found is not None
    assert found.value == pytest.approx(0)
    assert found.low < 0 < found.high
    assert shown_change(rows("kept", "a", [None], [True])) is None


def test_what_is_retained_is_a_share_of_what_was_there() -> None:
    found = retained(rows("kept", "a", [True, True, True, False], [True, True, False, True]))
    assert found is not None
    assert (found.value, found.count) == (pytest.approx(2 / 3), 3)
    assert retained(rows("kept", "a", [False, False], [True, True])) is None


def test_no_share_goes_beyond_0_and_1() -> None:
    for count in (7, 104, 140):
        found = share(shown("kept", "a", count, count, count), after)
        assert found is not None
        assert (found.high, found.how) == (1.0, "wilson")


def test_a_mean_has_a_bootstrapped_interval_around_it() -> None:
    some = marked("kept", "a", distance=[0.1, 0.2, 0.3, 0.2, 0.1, 0.3])
    found = mean(some, lambda marks: marks.distance)
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert found.low < found.value < found.high
    assert (found.count, found.how) == (6, "bootstrap")


def test_one_score_says_nothing_of_its_own_spread() -> None:
    found = mean(marked("kept", "a", distance=[0.1]), lambda marks: marks.distance)
    assert found == Figure(0.1, 0.1, 0.1, 1, "none")


def test_a_change_of_scores_pairs_them() -> None:
    some = marked("kept", "a", clip_before=[30.0, 20.0], clip_after=[29.0, 19.0])
    found = change(some, "clip_before", "clip_after")
    assert found is not None
    assert (found.value, found.low, found.high) == (-1.0, -1.0, -1.0)


def test_a_set_tells_what_most_pictures_became() -> None:
    some = marked("erased", "a", seen_after=["plain", "monet", "plain"])
    assert figures(some).became == "plain"
    assert figures(shown("erased", "a", 3, 0, 3)).became == ""


def test_a_set_tells_whether_the_rest_of_the_prompt_stayed() -> None:
    some = marked("erased", "a", thing_before=[True, True, False], thing_after=[True, False, True])
    assert figures(some).more["content"].value == 0.5
    assert figures(shown("erased", "a", 3, 0, 3)).more == {}


def test_a_set_counts_its_prompts_and_pictures() -> None:
    some = [Row("erased", "a", "same", seed, Marks(True, False)) for seed in range(4)]
    found = figures(some)
    assert (found.prompts, found.n, found.sort) == (1, 4, asked("erased", "a").sort)


def test_lpips_is_a_further_measure_with_an_interval() -> None:
    found = figures(marked("kept", "monet", lpips=[0.1, 0.2, 0.6])).more["lpips"]
    assert found.value == pytest.approx(0.3)
    assert found.low < 0.3 < found.high
