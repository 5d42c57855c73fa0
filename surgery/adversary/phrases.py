"""Other words for a concept: what a search over prompts begins with, and how it goes on from there.

Text to text; nothing is painted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surgery.edits import spellings
from surgery.edits.base import Concept, Kind
from surgery.edits.names import words
from surgery.edits.templates import TEMPLATES, medium_of
from surgery.edits.wordings import wordings
from surgery.questions import Pair, Question

SLIPS = 6
COMPANIONS = 2
"""Siblings that the name is put beside."""
SORTS: Mapping[Kind, tuple[str, ...]] = {
    "style": ("style", "painting", "art"),
    "object": ("thing", "picture"),
    "fact": ("picture", "place"),
}
"""Plain words that say what sort of thing a name is."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that may bring a concept up.

    Args:
        text: the words.
        pair: the prompts that it stands for, when it is a prompt of its own; None where it takes
            the place of the name in whatever prompt.
    """

    text: str
    pair: Pair | None = None

    def prompt(self, pair: Pair) -> str:
        """The prompt to paint where a pair's source is asked for."""
        if self.pair is not None:
            return self.text
        return pair.source.replace(pair.subject, self.text)


def phrases(question: Question, others: Sequence[str] = ()) -> tuple[Phrase, ...]:
    """Every phrase to begin with, always in the same order; names and whole prompts in turn.

    Args:
        others: names of the concept that only the user can know.
    """
    names = dict.fromkeys(Phrase(text) for text in (*others, *_names(question)))
    asked = Concept(erase=question.concept, target=question.target, kind=question.sort)
    own = words(question.target)
    whole = [
        Phrase(one.source, Pair(one.source, one.target, one.subject))
        for one in wordings(asked)
        if words(one.source) != words(one.target) and words(one.source) != own
    ]
    return _in_turn(tuple(names), tuple(whole))


def _in_turn(first: Sequence[Phrase], second: Sequence[Phrase]) -> tuple[Phrase, ...]:
    longest = max(len(first), len(second))
    pairs = (
        (*first[number : number + 1], *second[number : number + 1]) for number in range(longest)
    )
    return tuple(phrase for pair in pairs for phrase in pair)


def _names(question: Question) -> Iterator[str]:
    name = question.concept
    plain = {*words(question.target)}
    for text in (*_spelled(name), *_cut(name), *_beside(question)):
        if words(text) and text != name and not {*words(text)} <= plain:
            yield text


def _spelled(name: str) -> Iterator[str]:
    forms = (
        *(spellings.capitalised, str.upper, spellings.hyphenated, spellings.joined),
        *(spellings.plural, spellings.esque, spellings.ish, spellings.unaccented),
    )
    yield from (form(name) for form in forms)
    yield from spellings.misspelled(name, SLIPS, lambda spelling: True)
    yield f"{name}'s"


def _cut(name: str) -> Iterator[str]:
    """Split, shortened and turned round: `v a n gogh`, `gogh`, `v. gogh`, `gogh van`."""
    pieces = name.split()
    yield "  ".join(pieces)
    yield " ".join(name.replace(" ", ""))
    for place, piece in enumerate(pieces):
        if len(piece) > 1:
            yield _with(pieces, place, " ".join(piece))
            yield _with(pieces, place, _halved(piece, len(piece) // 2))
            yield _with(pieces, place, f"{piece[0]}.")
    if len(pieces) > 1:
        yield from pieces
        yield " ".join(reversed(pieces))
        yield "_".join(pieces)
        yield " . ".join(pieces)


def _beside(question: Question) -> Iterator[str]:
    """Said twice, with what it is, and beside its siblings."""
    name, sorts = question.concept, SORTS[question.sort]
    yield f"{name} {name}"
    yield f"{name}, {name}, {name}"
    yield f"the {name}"
    yield from (f"{name} {word}" for word in sorts)
    for sibling in question.siblings[:COMPANIONS]:
        yield f"{name} {sibling}"
        yield f"{sibling} {name}"


@dataclass(frozen=True, slots=True)
class Words:
    """The words that a phrase is changed with."""

    pool: tuple[str, ...]

    @classmethod
    def of(cls, question: Question) -> Words:
        """Those of the name, its sort, its siblings, and of the templates around it."""
        texts = (
            question.concept,
            *SORTS[question.sort],
            *question.siblings,
            *TEMPLATES[question.sort],
        )
        found = dict.fromkeys(word for text in texts for word in words(text))
        medium = medium_of(question.target) if question.sort == "style" else None
        barred = () if medium else words(question.target)
        return cls(tuple(word for word in found if word not in barred))

    def changed(self, phrase: Phrase, draw: np.random.Generator) -> Phrase:
        """A phrase one change away."""
        pieces = phrase.text.split()
        change = CHANGES[int(draw.integers(len(CHANGES)))]
        text = " ".join(change(pieces, self.pool, draw)).strip()
        return Phrase(text or phrase.text, phrase.pair)


Change = Callable[[Sequence[str], Sequence[str], np.random.Generator], list[str]]


def split(pieces: Sequence[str], pool: Sequence[str], draw: np.random.Generator) -> list[str]:
    """A space within a word."""
    place = int(draw.integers(len(pieces)))
    piece = pieces[place]
    if len(piece) < 2:
        return list(pieces)
    return _with(pieces, place, _halved(piece, int(draw.integers(1, len(piece))))).split(" ")


def swap(pieces: Sequence[str], pool: Sequence[str], draw: np.random.Generator) -> list[str]:
    """Two words change places."""
    found = list(pieces)
    one, other = (int(place) for place in draw.integers(len(found), size=2))
    found[one], found[other] = found[other], found[one]
    return found


def drop(pieces: Sequence[str], pool: Sequence[str], draw: np.random.Generator) -> list[str]:
    """One word less."""
    place = int(draw.integers(len(pieces)))
    return [piece for number, piece in enumerate(pieces) if number != place]


def insert(pieces: Sequence[str], pool: Sequence[str], draw: np.random.Generator) -> list[str]:
    """One word more."""
    place = int(draw.integers(len(pieces) + 1))
    return [*pieces[:place], pool[int(draw.integers(len(pool)))], *pieces[place:]]


def replace(pieces: Sequence[str], pool: Sequence[str], draw: np.random.Generator) -> list[str]:
    """Another word for one."""
    found = list(pieces)
    found[int(draw.integers(len(found)))] = pool[int(draw.integers(len(pool)))]
    return found


def double(pieces: Sequence[str], pool: Sequence[str], draw: np.random.Generator) -> list[str]:
    """A word said twice."""
    place = int(draw.integers(len(pieces)))
    return [*pieces[:place], pieces[place], *pieces[place:]]


def slip(pieces: Sequence[str], pool: Sequence[str], draw: np.random.Generator) -> list[str]:
    """A slip of the pen in one word."""
    found = list(pieces)
    place = int(draw.integers(len(found)))
    wrong = spellings.misspelled(found[place], SLIPS, lambda spelling: True)
    if wrong:
        found[place] = wrong[int(draw.integers(len(wrong)))]
    return found


CHANGES: tuple[Change, ...] = (split, swap, drop, insert, replace, double, slip)


def _halved(piece: str, place: int) -> str:
    return f"{piece[:place]} {piece[place:]}"


def _with(pieces: Sequence[str], place: int, instead: str) -> str:
    return " ".join((*pieces[:place], instead, *pieces[place + 1 :]))
