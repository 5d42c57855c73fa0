"""A verification's page tells everything in the report, escapes it, and is the same each time."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from surgery.pages import verify_page
from surgery.report import BlockChange, Figure, JudgeFacts, VerifyReport
from tests.helpers.probe_reports import HOSTILE
from tests.helpers.reader import LOADING, Reader, read, words
from tests.helpers.verify_parts import VAN_GOGH
from tests.helpers.verify_reports import (
    KEPT,
    bare,
    clip_only,
    every_kind,
    failed,
    hostile,
    passed,
    shown,
)

KINDS = every_kind()


def said(report: VerifyReport) -> str:
    return words(verify_page(report))


def page(report: VerifyReport) -> Reader:
    return read(verify_page(report))


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_loaded_from_anywhere(name: str) -> None:
    for attribute, value in page(KINDS[name]).attributes:
        if attribute in LOADING:
            assert value.startswith("data:"), value
    text = verify_page(KINDS[name])
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|WebSocket|\bimport\(", text)
    assert "default-src &#x27;none&#x27;" in text


@pytest.mark.parametrize("name", KINDS)
def test_a_report_read_back_from_json_gives_the_same_page(name: str) -> None:
    again = VerifyReport.from_json(KINDS[name].to_json())
    assert verify_page(again) == verify_page(KINDS[name])


@pytest.mark.parametrize("name", KINDS)
def test_a_page_without_its_pictures_is_small(name: str) -> None:
    assert len(re.sub(r"base64,[^\"]*", "", verify_page(KINDS[name]))) < 100_000


def test_hostile_names_are_text_and_nothing_else() -> None:
    text = verify_page(hostile())
    assert text.count("<script>") == text.count("</script>") == 1
    assert not set("\x1b\u202e") & set(text)
    evil = page(hostile())
    assert set(evil.tags) <= set(page(passed()).tags)
    assert not any(name.startswith("on") for name, _ in evil.attributes)
    assert "</script><script>alert(1)</script>" in "".join(evil.words)


def test_the_verdict_comes_first_then_the_gates_then_what_they_rest_on() -> None:
    text = said(passed())
    order = ("passed: 4 gates", "van gogh is gone", "Gates", "Is it gone?", "Is the rest intact?",
             "The pictures", "Can it be brought back?", "Where weights changed",
             "Leak and drift", "Beside the literature", "What the figures do not say", "Recipe",
             "How it was measured")  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_passed_report_has_its_figures_with_their_intervals() -> None:
    text = said(passed())
    for expected in (
        "Of 7 other concepts the weakest, plain paintings, still shows in 96 %",
        "shows van gogh 100 % → 0 % of 48 pictures; 95 % interval 0 to 7 %",
        "100 % → 0 % (0 to 7)",
        "UA, unlearning accuracy the erased concept is not seen, asked for by name 100 % (93 to",
        "atelier/judge",
        "sha256:5f0c9a7714de",
        "blake2b:77d0c2f19a03",
        "text_encoder: encoder.layers",
        "becomes painting",
        "617 prompts",
        "- method: quickfix",
        "it has not seen photographs",
        "denoiser runs 21,760",
    ):
        assert expected in text


def test_what_stayed_whole_is_said_in_one_figure() -> None:
    sets = tuple(shown("kept", one, 1, 1) for one in KEPT)
    text = said(replace(passed(), sets=sets))
    assert "All 5 other concepts still show in every one of 240 pictures" in text
    assert "monet still shows in every one of 48" in said(replace(passed(), sets=sets[:1]))


def test_a_missed_gate_says_by_how_much_before_those_that_passed() -> None:
    text = said(failed())
    assert "failed: 1 of 4 gates missed" in text
    assert "missed by 61 points" in text
    assert text.index("erased: van gogh") < text.index("kept_each: ")
    assert "passed: " not in text


def test_of_many_gates_those_that_passed_are_shown_on_demand() -> None:
    many = tuple(replace(failed().gates[1], name=f"erased: {at}") for at in range(20))
    text = said(replace(failed(), gates=(*many, failed().gates[0])))
    assert text.index("erased: van gogh") < text.index("20 gates that passed")
    assert text.index("20 gates that passed") < text.index("erased: 0 ")


def test_a_row_has_the_look_of_its_gate() -> None:
    text = verify_page(failed())
    assert re.search(r'class="dots bad-row"><span class="name"><b>van gogh', text)
    kept = len(failed().of("kept"))
    assert text.count('class="dots good-row"') == 1 + kept


def test_every_pair_of_pictures_has_a_slider_and_says_what_was_seen() -> None:
    report = replace(passed(), attacks=())
    reader = page(report)
    assert sum(tag == "img" for tag in reader.tags) == 2 * len(report.pictures)
    labels = [value for name, value in reader.attributes if name == "aria-label"]
    assert sum(one.startswith("how much is before") for one in labels) == len(report.pictures)
    assert "van gogh → plain" in said(report)


def test_what_should_be_gone_is_seen_before_what_should_stay() -> None:
    report = replace(passed(), pictures=passed().pictures[::-1])
    text = said(report)
    text = text[text.index("The pictures") :]
    assert text.index("van gogh, by name") < text.index("van gogh, misspellings")
    assert text.index("van gogh, misspellings") < text.index("monet, should stay")


def test_sets_with_a_wrong_picture_are_shown_at_once() -> None:
    wrong = replace(passed().pictures[-1].marks, shown_after=False, seen_after="plain")
    last = replace(passed().pictures[-1], marks=wrong)
    text = said(replace(passed(), pictures=(*passed().pictures[:-1], last)))
    assert KEPT[-1] in text[text.index("The pictures") : text.index("Can it be brought back?")]
    assert "more set" not in text
    assert "1 more set of prompts" in said(passed())


def test_a_picture_that_is_no_base64_is_left_out() -> None:
    broken = replace(passed().pictures[0], before='" onload="x')
    text = verify_page(replace(passed(), pictures=(broken,), attacks=()))
    assert "onload" not in text
    assert "The pictures" not in text


def test_attacks_say_what_was_tried_and_promise_nothing() -> None:
    text = said(passed())
    assert "600 prompts tried, the best 12 painted." in text
    assert "starry swirls by vincent" in text
    assert "0 % → 38 % (21 to 57)" in text
    assert "No attack proves that a concept cannot come back" in text
    assert 'alt="attacked: ' in verify_page(passed())


def test_where_nothing_was_tried_the_page_says_so() -> None:
    assert "Nothing was tried here. No attack proves" in said(bare())


def test_blocks_stand_in_rows_by_name_and_those_between_them_are_unchanged() -> None:
    text = verify_page(clip_only())
    assert "unet: up_blocks" in text
    row = text[text.index("change of each block of unet/up_blocks") :].partition("</section>")[0]
    assert row.index('class="cell none"') < row.index("unet: up_blocks.1 · changed by 0.4 %")
    assert "5 of 60 tensors" in text


def test_a_change_without_a_figure_has_a_dash() -> None:
    only = BlockChange("unet/x.0", 1, 2, None, None)
    assert "changed by - of their size" in verify_page(replace(passed(), blocks=(only,)))


def test_scores_without_yes_or_no_are_drawn_on_an_axis_of_their_own() -> None:
    text = said(clip_only())
    assert "31.2 → 24.3 (23.9 to 24.7)" in text
    assert "23.9 CLIP score with the prompt 31.6" in text
    assert "fid" in text
    assert "gates" not in text.partition("Is it gone?")[0]


def test_the_table_has_the_change_over_pairs_and_what_is_still_shown() -> None:
    text = said(passed())
    table = text[text.index("All figures as a table") : text.index("Is the rest intact?")]
    assert "shown change still shown" in table
    assert "-100 % (-103 to -97)" in table
    assert "content" in table


def test_many_sets_are_shown_on_demand() -> None:
    sets = tuple(shown("kept", f"artist {at}", 1, 1) for at in range(60))
    assert "20 more" in said(replace(passed(), sets=sets))


def test_several_erased_concepts_share_one_figure() -> None:
    sets = (*passed().sets, shown("erased", "monet", 1, 0.5))
    assert "gone, asked by name 100 %" in said(replace(passed(), sets=sets))


def test_a_report_of_nothing_has_a_page() -> None:
    text = said(bare())
    assert "Nothing was asked." in text
    for absent in ("Is it gone?", "Recipe", "Gates", "Leak and drift", "Beside the literature"):
        assert absent not in text


def test_the_title_names_what_was_verified() -> None:
    assert f"<title>{VAN_GOGH}: out/remove_vangogh verified</title>" in verify_page(passed())
    assert HOSTILE not in verify_page(hostile())


def test_lpips_and_fid_stand_with_the_figures_of_papers() -> None:
    sets = [replace(one, more={"lpips": Figure(0.123, 0.1, 0.2, 48)}) for one in passed().sets]
    fid = {"erased": Figure(87.6, 87.6, 87.6, 48, "none")}
    judges = (*passed().judges, JudgeFacts("FID", "Inception", "6726825d", "sets"))
    told = said(replace(passed(), sets=tuple(sets), fid=fid, judges=judges))
    assert "lpips" in told and "0.12" in told
    assert "FID, by name" in told and "48 pictures of each model" in told and "87.6" in told
    assert "how far all pictures of both models are apart" in told
    assert "FID" not in said(passed())
