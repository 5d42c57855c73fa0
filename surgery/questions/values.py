"""The values: a pair of prompts, and all that is asked about one concept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from surgery.edits.base import Kind
from surgery.edits.names import within, words
from surgery.errors import UsageError
from surgery.store.text import quoted

Sort: TypeAlias = Kind
Vocabulary: TypeAlias = Literal["atelier", "world"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt that names a concept, and the prompt that shows all but the concept.

    Args:
        source: the prompt with the concept.
        target: the same without it, or with what takes its place.
        subject: the words of `source` that name the concept, as they are spelled there.

    Raises:
        UsageError: the source does not hold the subject, or both prompts are one.
    """

    source: str
    target: str
    subject: str

    def __post_init__(self) -> None:
        if not self.subject.strip() or self.subject not in self.source:
            raise UsageError(
                f"the prompt {quoted(self.source)} does not hold {quoted(self.subject)}"
            )
        if words(self.source) == words(self.target):
            raise UsageError(
                f"{quoted(self.source)} is the same prompt with and without the concept"
            )


@dataclass(frozen=True, slots=True)
class Question:
    """One concept and all that is needed to ask where a model keeps it.

    Args:
        concept: its name.
        target: what takes its place; for a style mostly a plain medium, such as `painting`.
        sort: style, object or fact.
        pairs: prompts with and without it.
        siblings: what an edit of it may hurt, and should not.

    Raises:
        UsageError: there is no pair, or a sibling names the concept.
    """

    concept: str
    target: str
    sort: Sort
    pairs: tuple[Pair, ...]
    siblings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.pairs:
            raise UsageError(f"there is no prompt about {quoted(self.concept)}")
        for sibling in self.siblings:
            if within(words(self.concept), words(sibling)):
                raise UsageError(
                    f"the sibling {quoted(sibling)} names {quoted(self.concept)} itself"
                )
