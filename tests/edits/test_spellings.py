from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.edits import spellings
from surgery.edits.spellings import misspelled


def anything(_: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("name", "several"),
    [
        ("dog", "dogs"),
        ("a dog", "dogs"),
        ("bus", "buses"),
        ("berry", "berries"),
        ("boy", "boys"),
        ("van gogh", "van goghs"),
        ("the flag of france", "the flags of france"),
    ],
)
def test_plural(name: str, several: str) -> None:
    assert spellings.plural(name) == several


def test_manners_are_named_after_people_without_a_silent_e() -> None:
    assert spellings.esque("monet") == "monetesque"
    assert spellings.esque("magritte") == "magrittesque"
    assert spellings.ish("van gogh") == "van goghish"


def test_names_of_several_words_are_tied_together() -> None:
    assert spellings.hyphenated("van gogh") == "van-gogh"
    assert spellings.hyphenated("toulouse-lautrec") == "toulouse lautrec"
    assert spellings.joined("toulouse-lautrec") == "toulouselautrec"
    assert spellings.hyphenated("monet") == spellings.joined("monet") == "monet"


def test_each_word_gets_a_capital_and_keeps_those_it_has() -> None:
    assert spellings.capitalised("georgia o'Keeffe") == "Georgia O'Keeffe"


def test_the_kinds_of_slips_come_in_turn() -> None:
    assert misspelled("picasso", 4, anything) == ("picaso", "picsaso", "piccasso", "picssso")


def test_an_accent_is_forgotten_first() -> None:
    assert misspelled("salvador dalí", 1, anything) == ("salvador dali",)


def test_longer_words_of_a_name_slip_and_short_ones_stay() -> None:
    found = misspelled("vincent van gogh", 8, anything)
    assert all(name.split()[1] == "van" for name in found)
    assert {name.split()[0] == "vincent" for name in found} == {True, False}


def test_a_spelling_that_is_not_allowed_is_passed_over() -> None:
    assert "moet" in misspelled("monet", 6, anything)
    found = misspelled("monet", 6, lambda spelling: spelling != "moet")
    assert len(found) == 6
    assert "moet" not in found


@pytest.mark.parametrize("name", ["dog", "r2d2", "monet", "Basquiat", "the white house"])
def test_there_are_six_slips_that_keep_the_first_and_mostly_the_last_letter(name: str) -> None:
    found = misspelled(name, 6, anything)
    assert len(found) == 6
    assert all(wrong[0] == name[0] for wrong in found)
    assert sum(wrong[-1] == name[-1] for wrong in found) >= 4


@given(st.text(max_size=12))
def test_any_name_has_slips_that_differ_from_it_and_are_always_the_same(name: str) -> None:
    found = misspelled(name, 6, anything)
    assert len(set(found)) == len(found) <= 6
    assert name.casefold() not in {wrong.casefold() for wrong in found}
    assert found == misspelled(name, 6, anything)
