"""Names compared by their words: what is one, what holds one, and which of many share a word."""

from __future__ import annotations

import re
from collections.abc import Iterable

Words = tuple[str, ...]


def words(text: str) -> Words:
    """The words of a text without case and punctuation, for comparing names."""
    return tuple(re.findall(r"\w+", text.casefold()))


def within(inner: Words, outer: Words) -> bool:
    """Whether some words occur in others, side by side and in order."""
    if not set(inner) <= set(outer):
        return False
    return any(outer[i : i + len(inner)] == inner for i in range(len(outer) - len(inner) + 1))


class Names:
    """Many names, found by their words: most texts share none with any of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_word: dict[str, set[Words]] = {}
        for name in names:
            for word in (split := words(name)):
                self._by_word.setdefault(word, set()).add(split)

    def sharing(self, text: Words) -> set[Words]:
        """The names of which a text has at least one word."""
        return set[Words]().union(*(self._by_word.get(word, ()) for word in text))
