"""Tensor names as words and numbers, so that a pattern is looked up and not searched for.

`blocks.{n}.attn.to_k.weight` is a pattern: `{n}` is a number that counts from 0 without gaps,
`{*}` any number; a number written out must be that number. `{a,b}` is either word, and counts as
a number too: 0 or 1, so that names run in the order of the words. No layout is known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

HOLES = ("{n}", "{*}")
Numbers = tuple[int, ...]
_HOLE = re.compile(r"\{[^{}]*\}")


def split(name: str) -> tuple[str, Numbers]:
    """Return a name with each whole-number word replaced by `#`, and those numbers."""
    words, numbers = name.split("."), []
    for place, word in enumerate(words):
        # Leading zeros would make two names one.
        if word.isascii() and word.isdigit() and len(word) < 7 and str(int(word)) == word:
            numbers.append(int(word))
            words[place] = "#"
    return ".".join(words), tuple(numbers)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name with holes for numbers.

    Args:
        skeleton: the words, every number as `#`.
        fixed: for each number, its value, or None for a hole.
    """

    text: str
    skeleton: str
    fixed: tuple[int | None, ...]


@lru_cache(maxsize=4096)
def pattern(text: str) -> Pattern:
    """Read a pattern without a choice of words."""
    words = text.split(".")
    fixed: list[int | None] = []
    for place, word in enumerate(words):
        if word in HOLES:
            fixed.append(None)
        elif word.isdigit():
            fixed.append(int(word))
        else:
            continue
        words[place] = "#"
    return Pattern(text, ".".join(words), tuple(fixed))


@lru_cache(maxsize=4096)
def holes(text: str) -> tuple[str, ...]:
    """Return the holes of a pattern: `{n}`, `{*}`, and choices such as `{a,b}`."""
    return tuple(_HOLE.findall(text))


def filled(text: str, numbers: Numbers) -> str:
    """Return the name that has these numbers in a pattern's holes; further holes stay."""
    left = iter(numbers)
    return _HOLE.sub(lambda hole: _word(hole[0], next(left, None)), text)


def _word(hole: str, number: int | None) -> str:
    if number is None:
        return hole
    return str(number) if hole in HOLES else hole[1:-1].split(",")[number]


class Index:
    """Names of one checkpoint, ready for lookup by pattern."""

    def __init__(self, names: Iterable[str]) -> None:
        self._found: dict[tuple[str, int], dict[Numbers, str]] = {}
        for name in names:
            skeleton, numbers = split(name)
            # The length tells a number from a `#` that a file has in a name.
            self._found.setdefault((skeleton, len(numbers)), {})[numbers] = name

    def find(self, text: str) -> dict[Numbers, str]:
        """Return the names that a pattern covers, by the numbers in its holes, in natural order."""
        choices = [place for place, hole in enumerate(holes(text)) if hole not in HOLES]
        return self._either(text, choices[0]) if choices else self._plain(text)

    def _either(self, text: str, place: int) -> dict[Numbers, str]:
        choice = holes(text)[place]
        found = {
            (*numbers[:place], rank, *numbers[place:]): name
            for rank, word in enumerate(choice[1:-1].split(","))
            for numbers, name in self.find(text.replace(choice, word, 1)).items()
        }
        return dict(sorted(found.items()))

    def _plain(self, text: str) -> dict[Numbers, str]:
        wanted = pattern(text)
        found = {}
        for numbers, name in self._found.get((wanted.skeleton, len(wanted.fixed)), {}).items():
            pairs = tuple(zip(wanted.fixed, numbers, strict=True))
            if all(value is None or value == number for value, number in pairs):
                found[tuple(number for value, number in pairs if value is None)] = name
        return dict(sorted(found.items()))


def shown(name: str) -> str:
    """Return a name from a file with everything but plain ASCII escaped."""
    return ascii(name)[1:-1]


def gap(text: str, found: Iterable[Numbers]) -> Numbers | None:
    """Return the first numbers missing where a pattern counts from 0 without gaps, or None."""
    seen = set(found)
    for place, hole in enumerate(holes(text)):
        if hole != "{n}":
            continue
        for head in sorted({numbers[: place + 1] for numbers in seen}):
            before = (*head[:-1], head[-1] - 1)
            if head[-1] > 0 and before not in {numbers[: place + 1] for numbers in seen}:
                return before
    return None
