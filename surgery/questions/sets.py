"""The built-in questions, from the YAML beside this file, and questions about a user's own concept.

A file holds groups by sort: concepts with their targets, the prompts that all of them take, and
what edits of them tend to hurt besides each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from surgery.edits.names import within, words
from surgery.edits.templates import PLAIN
from surgery.errors import UsageError
from surgery.questions.prompts import Templates, pairs_of, templates_from
from surgery.questions.values import Pair, Question, Sort, Vocabulary
from surgery.store.text import quoted

HERE = Path(__file__).parent
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)

Prompts = Sequence[str | tuple[str, str]]


class Group(BaseModel):
    """Concepts that take the same prompts.

    Args:
        concepts: name -> what takes its place.
        prompts: templates with {}; of styles, each with what is left of it without the style.
        beside: concepts of other sorts that edits of these tend to hurt.
    """

    model_config = _STRICT

    concepts: Mapping[str, str]
    prompts: Mapping[str, str] | list[str]
    beside: list[str] = []

    @property
    def templates(self) -> Templates:
        if isinstance(self.prompts, list):
            return {prompt: prompt for prompt in self.prompts}
        return self.prompts


class Book(BaseModel):
    """One vocabulary's groups; the first of a sort lends its prompts to concepts of the user's."""

    model_config = _STRICT

    style: list[Group] = Field(min_length=1)
    object: list[Group] = Field(min_length=1)
    fact: list[Group] = Field(min_length=1)

    def groups(self, sort: Sort) -> tuple[Group, ...]:
        found: Mapping[Sort, list[Group]]
        found = {"style": self.style, "object": self.object, "fact": self.fact}
        return tuple(found[sort])

    def names(self, sort: Sort) -> tuple[str, ...]:
        return tuple(name for group in self.groups(sort) for name in group.concepts)


def questions(
    vocabulary: Vocabulary, sorts: Collection[Sort] | None = None
) -> tuple[Question, ...]:
    """The built-in questions of a vocabulary, styles first, then objects, then facts.

    Args:
        sorts: only these; None for all.
    """
    wanted: tuple[Sort, ...] = ("style", "object", "fact")
    return tuple(
        ask(concept, target, sort, vocabulary=vocabulary)
        for sort in wanted
        if sorts is None or sort in sorts
        for group in _book(vocabulary).groups(sort)
        for concept, target in group.concepts.items()
    )


def ask(
    concept: str,
    target: str | None = None,
    sort: Sort | None = None,
    *,
    prompts: Prompts | None = None,
    vocabulary: Vocabulary,
) -> Question:
    """The question about a concept; one that is built in has prompts and siblings of its own.

    Args:
        concept: its name.
        target: what takes its place; None for what is built in, or the plain word of the sort.
        sort: None for what is built in.
        prompts: instead of the built-in ones: templates with {} or the concept in them, or pairs
            with and without the concept.
        vocabulary: whose prompts and siblings to use.

    Raises:
        UsageError: no name, nothing says what the sort or the target is, or both are one.
    """
    book = _book(vocabulary)
    sort = sort or _known_sort(book, concept)
    group = _group(book, concept, sort)
    target = target or _known_target(group, concept, sort)
    _check(concept, target)
    pairs = (
        pairs_of(group.templates, concept, target, sort)
        if prompts is None
        else _own_pairs(prompts, concept, target, sort)
    )
    return Question(concept, target, sort, pairs, _siblings(book, group, concept, sort))


def _known_sort(book: Book, concept: str) -> Sort:
    sorts: tuple[Sort, ...] = ("style", "object", "fact")
    for sort in sorts:
        if any(words(name) == words(concept) for name in book.names(sort)):
            return sort
    raise UsageError(
        f"is {quoted(concept)} a style, an object or a fact?",
        hint="say which by --kind (sort in Python): it decides the prompts",
    )


def _group(book: Book, concept: str, sort: Sort) -> Group:
    groups = book.groups(sort)
    return next((one for one in groups if _target(one, concept) is not None), groups[0])


def _target(group: Group, concept: str) -> str | None:
    known = {words(name): target for name, target in group.concepts.items()}
    return known.get(words(concept))


def _known_target(group: Group, concept: str, sort: Sort) -> str:
    target = _target(group, concept) or PLAIN.get(sort)
    if target is None:
        raise UsageError(
            f"what should take the place of {quoted(concept)}?",
            hint="a fact needs a --target",
        )
    return target


def _check(concept: str, target: str) -> None:
    if not words(concept):
        raise UsageError(f"the concept {quoted(concept)} has no word in it")
    if words(concept) == words(target):
        raise UsageError(f"the concept and its target are both {quoted(concept)}")


def _own_pairs(prompts: Prompts, concept: str, target: str, sort: Sort) -> tuple[Pair, ...]:
    found: dict[Pair, None] = {}
    for prompt in prompts:
        if isinstance(prompt, str):
            templates = templates_from([prompt], concept, sort)
            found |= dict.fromkeys(pairs_of(templates, concept, target, sort))
        else:
            source, goal = prompt
            found[Pair(source.replace("{}", concept), goal.replace("{}", target), concept)] = None
    return tuple(found)


def _siblings(book: Book, group: Group, concept: str, sort: Sort) -> tuple[str, ...]:
    """The other concepts of its sort, and what the group names beside."""
    own = words(concept)
    names = dict.fromkeys((*book.names(sort), *group.beside))
    return tuple(
        name for name in names if not within(own, words(name)) and not within(words(name), own)
    )


@cache
def _book(vocabulary: Vocabulary) -> Book:
    from ruamel.yaml import YAML

    text = (HERE / f"{vocabulary}.yaml").read_text(encoding="utf-8")
    return Book.model_validate(YAML(typ="safe", pure=True).load(text))
