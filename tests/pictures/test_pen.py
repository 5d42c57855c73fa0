from __future__ import annotations

import pytest

from surgery.pictures.pen import legible, length


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        ("van gogh, 95 % …", "van gogh, 95 % …"),
        ("salvador dalí", "salvador dali"),
        ("Ünïcödé \u2013 1", "Unicode - 1"),
        ("梵高", "\\u68b5\\u9ad8"),
        ("", ""),
    ],
)
def test_words_are_drawn_in_letters_that_the_font_has(words: str, drawn: str) -> None:
    assert legible(words) == drawn
    assert length(words, 16) == length(drawn, 16)
