"""Pairs of pictures: both are there, named and escaped, with a slider that says what it moves."""

from __future__ import annotations

import base64
import io

from PIL import Image

from surgery.pages.compare import SMALL, Pair, all_at_once, pairs


def png(side: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_both_pictures_have_words_that_say_which_is_which() -> None:
    text = pairs([Pair("a star", "gone", png(8), png(8), "good", 7)])
    assert 'alt="before: a star"' in text
    assert 'alt="after: a star"' in text
    assert "seed 7" in text
    assert '<small class="good">gone</small>' in text


def test_a_slider_is_a_range_that_says_what_it_moves() -> None:
    text = pairs([Pair("a star", "", png(8), png(8), names=("plainly", "attacked"))])
    assert '<input type="range"' in text
    assert 'aria-label="how much is plainly, not attacked: a star"' in text
    assert "</input>" not in text


def test_small_pictures_keep_their_pixels_and_large_ones_are_smoothed() -> None:
    assert 'class="pictures small"' in pairs([Pair("", "", png(64), png(64))])
    assert 'class="pictures small"' not in pairs([Pair("", "", png(SMALL + 1), png(SMALL + 1))])


def test_what_is_no_png_is_not_small() -> None:
    assert 'class="pictures"' in pairs([Pair("", "", "AAAA", "AAAA")])
    assert 'class="pictures"' in pairs([Pair("", "", "A", "A")])


def test_a_prompt_is_text() -> None:
    text = pairs([Pair("<b>&\u202e", '"', png(8), png(8))])
    assert "<b>&" not in text
    assert "&lt;b&gt;&amp;\\u202e" in text


def test_the_slider_of_all_is_hidden_until_a_script_shows_it() -> None:
    assert " hidden>" in all_at_once()
