"""A finding is one sentence, and says no more than the report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.report import Share, SurveyReport
from surgery.report.findings import effect, headline, percent
from tests.helpers.probe_reports import locogen, sdxl, survey, trace_text, trace_unet


def test_a_window_is_told_with_what_it_takes_and_what_the_others_leave() -> None:
    assert headline(locogen()) == (
        "van gogh is kept in cross-attention layers 2 to 4 of 10: replacing their text takes it "
        "from 100 % to 0 % of pictures; windows without these layers leave it in 97 % or more."
    )


def test_a_window_without_a_judge_that_says_yes_or_no_is_told_by_its_effect() -> None:
    said = headline(sdxl())
    assert "layers 45 to 49 of 70" in said
    assert "91 % of the way to the target, others of its kind at most 22 %" in said


def test_a_traced_state_is_told_as_restored() -> None:
    said = headline(trace_text())
    assert said.startswith("r2d2 is found in text encoder self-attention layer 0 at the last")
    assert "restoring it alone brings back 86 % of what was lost" in said


def test_a_probe_that_found_nothing_says_so_and_names_the_strongest() -> None:
    said = headline(trace_unet())
    assert said.startswith("No single place holds r2d2: of 70 tried")
    assert "self-attention layer 0, brings back 21 %" in said


def test_a_probe_that_ran_no_model_is_told_as_a_hint() -> None:
    said = headline(replace(locogen(), method="weights"))
    assert "hint" in said
    assert "no model was run" in said


def test_a_report_without_scores_can_be_told() -> None:
    assert "No place was tried" in headline(replace(locogen(), scores=(), found=""))
    assert headline(SurveyReport("m", "quick", (), ())).startswith("0 concepts were probed")


def test_a_survey_is_told_as_the_layers_from_which_each_sort_is_kept() -> None:
    assert headline(survey()) == "Style from layer 1, objects from layer 4 and facts from layer 4."


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (0.001, "<1 %"),
        (0.5, "50 %"),
        (0.999, ">99 %"),
        (1.0, "100 %"),
        (-0.02, "-2 %"),
    ],
)
def test_what_is_not_quite_nothing_or_all_never_reads_as_it(share: float, words: str) -> None:
    assert percent(share) == words


def test_an_effect_is_told_with_its_interval_where_it_has_one() -> None:
    score = locogen().scores[1]
    assert effect(score) == "58 % (54 to 60)"
    assert effect(replace(score, low=None)) == "58 %"


def test_windows_that_leave_every_picture_are_told_as_leaving_all() -> None:
    report = locogen()
    shown = [replace(one, shown=Share.of(1.0, 48)) for one in report.scores]
    shown[2] = report.scores[2]
    assert headline(replace(report, scores=tuple(shown))).endswith("leave it in all.")


def test_a_window_that_takes_nothing_away_is_not_said_to() -> None:
    report = locogen()
    unseen = Share.of(0.0, 48)
    anchors = tuple(replace(one, shown=unseen) for one in report.anchors)
    scores = tuple(replace(one, shown=unseen) for one in report.scores)
    said = headline(replace(report, anchors=anchors, scores=scores))
    assert "of pictures" not in said and "% of the way to the target" in said


def test_a_traced_state_with_equals_is_not_said_to_exceed_them() -> None:
    report = trace_text()
    scores = tuple(replace(one, effect=0.86) for one in report.scores)
    assert headline(replace(report, scores=scores)).endswith("as do others of its kind.")


def test_a_single_traced_run_is_told_as_one() -> None:
    report = trace_unet()
    scores = tuple(replace(one, low=None, high=None) for one in report.scores)
    said = headline(replace(report, scores=scores, found=""))
    assert said.startswith("One run cannot tell a place of r2d2 from chance")
