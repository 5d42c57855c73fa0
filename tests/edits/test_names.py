"""Names are compared word by word, and found by any of their words."""

from __future__ import annotations

from surgery.edits.names import Names, within, words


def test_names_are_compared_by_words_whatever_their_case() -> None:
    assert words("Van  GOGH's") == ("van", "gogh", "s")
    assert within(words("gogh"), words("Van Gogh"))
    assert not within(words("art"), words("artist"))
    assert not within(words("gogh van"), words("van gogh"))


def test_only_names_that_share_a_word_with_a_text_are_looked_at() -> None:
    names = Names(["Van Gogh", "van eyck", "Monet", "..."])
    assert names.sharing(words("a painting by van gogh")) == {("van", "gogh"), ("van", "eyck")}
    assert names.sharing(words("a red ball")) == set()
