"""Selectors are read, laid out by kind and depth, and said in words."""

from __future__ import annotations

import pytest

from surgery.report import Score
from surgery.report.panels import (
    Place,
    depth,
    elsewhere,
    in_words,
    in_words_of,
    marked,
    panels,
    place,
    profile,
    row,
)
from tests.helpers.probe_reports import locogen, sdxl, survey, trace_text, trace_unet


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("cross_attn.{k,v}[8:10]", Place("cross_attn", 8, 10)),
        ("text.self_attn.out[0]", Place("text.self_attn", 0, 1)),
        ("text2.mlp[3]", Place("text2.mlp", 3, 4)),
        ("resnet[21]", Place("resnet", 21, 22)),
        ("none", None),
        ("cross_attn.k[1,4:6]", None),
        ("ff[5:5]", None),
    ],
)
def test_a_selector_of_one_run_of_layers_is_read(site: str, expected: Place | None) -> None:
    assert place(site) == expected


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ("cross_attn.{k,v}[8:10]", "cross-attention layers 8 to 9"),
        ("text.layer[2]", "text encoder layer 2"),
        ("text2.mlp[3]", "second text encoder MLP layer 3"),
        ("anything else", "anything else"),
    ],
)
def test_a_place_is_said_in_words(site: str, words: str) -> None:
    assert in_words_of(site) == words


def test_a_place_in_a_text_tower_is_said_with_its_tokens() -> None:
    score = Score("text.self_attn[0]", 0.0, 0.0, 1, column="last")
    assert in_words(score) == "text encoder self-attention layer 0 at the last subject token"


def test_each_kind_is_a_panel_and_its_places_are_in_order_of_depth() -> None:
    found = panels(reversed(trace_unet().scores))
    assert [panel.kind for panel in found] == ["resnet", "ff", "cross_attn", "self_attn"]
    assert found[0].sites[:2] == ("resnet[0]", "resnet[1]")
    assert found[0].sites[-1] == "resnet[21]"


def test_a_panel_of_a_text_tower_has_a_column_for_each_role() -> None:
    found = panels(trace_text().scores)
    assert len(found[0].columns) == 7
    assert [score.site for score in profile(found[0])] == list(found[0].sites)
    assert profile(found[0])[0].column == "last"


def test_the_depth_is_that_of_the_last_window() -> None:
    assert depth(locogen().scores) == 10
    assert depth(sdxl().scores) == 70
    assert depth(()) == 0


def test_the_found_score_is_known_by_its_selector_its_name_or_its_module() -> None:
    report = trace_text()
    score = marked(report)
    assert score is not None
    assert score.name == "text.self_attn[0] at last"
    assert marked(locogen()) is locogen().scores[2] or marked(locogen()) == locogen().scores[2]
    assert marked(trace_unet()) is None


def test_elsewhere_shares_no_layer_with_the_found_window() -> None:
    report = locogen()
    found = marked(report)
    assert found is not None
    firsts = [spot.first for one in elsewhere(report, found) if (spot := place(one.site))]
    assert firsts == [5, 6, 7]


def test_elsewhere_counts_other_tokens_of_the_same_layer() -> None:
    report = trace_text()
    found = marked(report)
    assert found is not None
    rest = elsewhere(report, found)
    assert ("text.self_attn[0]", "end") in [(one.site, one.column) for one in rest]
    assert all(one.site.startswith("text.self_attn") for one in rest)


def test_a_row_reaches_from_each_window_to_the_next() -> None:
    assert [(first, end) for _, first, end in row(sdxl())][:2] == [(0, 5), (5, 10)]
    assert row(sdxl())[-1][2] == 70
    assert row(survey().reports[0])[-1][1:] == (7, 8)
