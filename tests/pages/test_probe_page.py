"""A probe's page holds everything itself, escapes every name, and is the same each time."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from surgery.pages import probe_page
from surgery.report import ProbeReport, Share, SurveyReport
from tests.helpers import reader
from tests.helpers.probe_reports import (
    HOSTILE,
    every_kind,
    hostile,
    locogen,
    sdxl,
    survey,
    thumbnails,
    trace_text,
    trace_unet,
    window_score,
)
from tests.helpers.reader import LOADING, Reader

KINDS = every_kind()


def read(report: ProbeReport | SurveyReport) -> Reader:
    return reader.read(probe_page(report))


def words(report: ProbeReport | SurveyReport) -> str:
    return reader.words(probe_page(report))


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_loaded_from_anywhere(name: str) -> None:
    for attribute, value in read(KINDS[name]).attributes:
        if attribute in LOADING:
            assert value.startswith("data:"), value
    text = probe_page(KINDS[name])
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|WebSocket|\bimport\(", text)
    assert "default-src &#x27;none&#x27;" in text


@pytest.mark.parametrize("name", KINDS)
def test_the_same_report_gives_the_same_page(name: str) -> None:
    assert probe_page(KINDS[name]) == probe_page(every_kind()[name])


@pytest.mark.parametrize("name", KINDS)
def test_a_report_read_back_from_json_gives_the_same_page(name: str) -> None:
    report = KINDS[name]
    again = type(report).from_json(report.to_json())
    assert probe_page(again) == probe_page(report)


@pytest.mark.parametrize("name", KINDS)
def test_a_page_without_its_pictures_is_small(name: str) -> None:
    text = re.sub(r"base64,[^\"]*", "", probe_page(KINDS[name]))
    assert len(text) < 120_000


def test_hostile_names_are_text_and_nothing_else() -> None:
    text = probe_page(hostile())
    assert text.count("<script>") == text.count("</script>") == 1
    assert "<img src=x" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    plain, evil = read(replace(locogen(), pictures=())), read(hostile())
    assert set(evil.tags) - {"img", "figcaption"} <= set(plain.tags) | {"figure"}
    assert not any(name.startswith("on") for name, _ in evil.attributes)
    assert "</script><script>alert(1)</script>" in "".join(evil.words)


def test_hostile_names_of_a_survey_are_text_too() -> None:
    report = replace(survey(), model=HOSTILE, method=HOSTILE, reports=(hostile(),))
    assert probe_page(report).count("<script>") == 1


def test_a_command_holds_a_hostile_name_as_one_word() -> None:
    report = replace(locogen(), concept="x'; rm -rf ~; echo '", target="$(id)")
    said = words(report)
    assert """--concept 'x'"'"'; rm -rf ~; echo '"'"''""" in said
    assert "--target '$(id)'" in said


def test_a_window_report_tells_its_finding_its_figures_and_what_to_do() -> None:
    said = words(locogen())
    for expected in (
        "van gogh is kept in cross-attention layers 2 to 4 of 10",
        "100 % → 0 %",
        "58 % (54 to 60)",
        "9 windows of other sizes, which did not suffice or were not needed",
        "surgery probe atelier --concept 'van gogh' --target painting --method locogen "
        "--recipe out.yaml",
        "surgery apply out.yaml",
        "a painting of a red star in the style of van gogh",
        "first seed",
        "clip (atelier/clip)",
        "it has not seen photographs",
        "19,200",
    ):
        assert expected in said


def test_pictures_come_anchors_first_then_the_found_place() -> None:
    said = words(locogen())
    shots = said[said.index("The pictures behind") :]
    names = ("nothing replaced", "everything replaced", "cross-attention layers 2 to 4",
             "cross-attention layers 0 to 2")  # fmt: skip
    places = [shots.index(name) for name in names]
    assert places == sorted(places)
    assert sum(tag == "img" for tag in read(locogen()).tags) == len(locogen().pictures)


def test_smaller_windows_have_a_chart_for_each_size() -> None:
    smaller = (*locogen().smaller, *(window_score(start, 1, 0.0) for start in range(10)))
    said = words(replace(locogen(), smaller=smaller))
    assert "19 windows of other sizes" in said
    assert said.index("Windows of 2") < said.index("Windows of 1 ")


def test_pictures_of_smaller_windows_are_not_among_the_first() -> None:
    report = locogen()
    small = thumbnails([(one.site, "kept") for one in report.smaller], "van gogh")
    said = words(replace(report, pictures=(*report.pictures, *small)))
    assert said.index("cross-attention layers 7 to 9") < said.index("9 more places")
    assert "cross-attention layers 0 to 1" in said[said.index("9 more places") :]


def test_every_place_is_in_the_table() -> None:
    for report in (locogen(), sdxl(), trace_text(), trace_unet()):
        text = probe_page(report)
        assert text.count('scope="row"') == len(report.scores) + len(report.smaller)


def test_every_cell_says_its_figures_in_words() -> None:
    labels = [value for name, value in read(trace_text()).attributes if name == "aria-label"]
    state = "text encoder self-attention layer 0 at the last subject token"
    assert any(one.startswith(f"{state} · effect 86 %, 95 % interval") for one in labels)


def test_a_probe_that_found_nothing_offers_no_recipe() -> None:
    said = words(trace_unet())
    assert "no recipe is drafted" in said
    assert "surgery apply" not in said
    assert "found here" not in said


def test_a_survey_has_a_table_of_sorts_and_a_row_for_each_concept() -> None:
    said = words(survey())
    assert "style from layer 1" in said
    assert "objects from layer 4" in said
    for report in survey().reports:
        assert report.concept in said
    assert sum(tag == "details" for tag in read(survey()).tags) >= len(survey().reports)


def test_a_report_of_an_earlier_release_with_scores_only_has_a_page() -> None:
    report = ProbeReport("m", "locogen", "c", "t", "least", locogen().scores)
    assert "No single place holds c" in words(report)


def test_a_report_without_scores_has_a_page() -> None:
    assert "No place was tried" in words(replace(locogen(), scores=(), found=""))
    assert "0 concepts" in words(SurveyReport("m", "quick", (), ()))


def test_a_trace_tells_what_noise_took_and_what_came_back() -> None:
    report, shown = trace_text(), Share.of(1.0, 12)
    gone, clean = (replace(one, shown=Share.of(n, 12)) for n, one in enumerate(report.anchors))
    scores = tuple(replace(one, shown=shown) for one in report.scores)
    said = words(replace(report, scores=scores, anchors=(gone, clean)))
    assert "concept shown again 0 % → 100 %" in said
    assert "concept still shown" not in said
    assert "without these layers" not in said


def test_of_a_place_without_a_known_edit_the_page_names_a_way_to_one() -> None:
    said = words(replace(trace_text(), found="text.mlp[2] at last"))
    assert "No edit of this place is known" in said
    assert "--method quick --recipe" in said
    edited = words(replace(trace_text(), found="text.self_attn[0] at last"))
    assert "--method trace_text --recipe" in edited
