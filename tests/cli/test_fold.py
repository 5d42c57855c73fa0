from __future__ import annotations

import pytest

from surgery.cli.fold import folded

NAME = "text_encoder/encoder.layers.0.self_attn.out_proj.weight"


@pytest.mark.parametrize("width", [13, 20, 30, 54])
def test_a_name_is_folded_behind_dots_and_slashes(width: int) -> None:
    lines = folded(NAME, width).split("\n")
    assert "".join(lines) == NAME
    assert all(len(line) <= width for line in lines)
    assert all(line[-1] in "./" for line in lines[:-1])


def test_what_fits_stays_on_its_lines() -> None:
    assert folded(f"{NAME}\n{NAME}", len(NAME)) == f"{NAME}\n{NAME}"


def test_words_are_folded_at_blanks() -> None:
    assert folded("an icon of an envelope", 12) == "an icon of\nan envelope"


def test_a_word_that_is_too_long_stays_whole() -> None:
    assert folded("unbreakable.x", 4) == "unbreakable.\nx"


def test_wide_letters_take_two_columns() -> None:
    assert folded("梵高.梵高", 5) == "梵高.\n梵高"
