"""Words from files: what is hidden is shown, what is misspelt is found."""

from __future__ import annotations

import pytest

from surgery.store.text import listed, nearest, quoted, size, visible


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x1b[31m", "\\u001b[31m"),
        ("a\nb\tc", "a\\u000ab\\u0009c"),
        ("\x9b", "\\u009b"),
        ("\x7f", "\\u007f"),
        ("\u202eevil", "\\u202eevil"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("\0", "\\u0000"),
    ],
)
def test_characters_that_a_terminal_obeys_or_hides_become_visible(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@pytest.mark.parametrize("text", ["unet.down[0]", "Größe 模型 ñ", "[/] [link=x]", "a\\b", ""])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_quoted_text_is_cut() -> None:
    assert quoted("abc") == "'abc'"
    assert quoted("x" * 1_000_000, 10) == "'xxxxxxxxxx...'"


def test_the_nearest_name_is_found_or_none() -> None:
    assert nearest("crossattn.k", ["cross_attn.k", "ff.in"]) == "cross_attn.k"
    assert nearest("zebra", ["cross_attn.k", "ff.in"]) is None
    assert nearest("x", []) is None


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (4_270_000_000, "4.3 GB")],
)
def test_sizes_are_written_for_people(count: int, shown: str) -> None:
    assert size(count) == shown


def test_the_largest_sizes_stay_in_gigabytes() -> None:
    assert size(5 * 10**12) == "5000.0 GB"


def test_of_many_items_the_first_are_listed_and_the_others_counted() -> None:
    assert listed(["a", "b", "c"]) == "a; b; c"
    assert listed(["a", "b", "c", "d"], ", ", 2) == "a, b and 2 more"
