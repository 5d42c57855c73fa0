"""Where to look for what is left of erased concepts: their own prompts, and every other wording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surgery.edits.base import Ask, Concept
from surgery.edits.checks import Check
from surgery.edits.places import PLACES
from surgery.edits.preserve import Reach
from surgery.edits.templates import prompt_pairs, target_of
from surgery.edits.wordings import wordings

MOST = 20
"""Concepts whose other wordings are looked at; of more, every so manieth."""


def concept_checks(
    concepts: Sequence[Concept], reach: Reach, *, contexts: bool = False
) -> tuple[Check, ...]:
    """The checks of an edit that reaches so far, and was solved in those prompts.

    `prompts` are the places that the edit was solved on; the other wordings are looked at where
    their name ends. The end token and the padding carry a concept too, edited or not.
    """
    own = (check for concept in concepts for check in _own(concept, reach, contexts))
    return (*own, *other_checks(concepts))


def other_checks(concepts: Sequence[Concept]) -> Iterator[Check]:
    """Those of other wordings, of the end token and of the padding."""
    names = [concept.erase for concept in concepts]
    for concept in concepts[:: max(1, -(-len(concepts) // MOST))]:
        yield from _others(concept, names)


def _own(concept: Concept, reach: Reach, contexts: bool) -> Iterator[Check]:
    goal = target_of(concept)
    for source, target in prompt_pairs(concept, contexts=contexts):
        for place in PLACES[reach]:
            asks = Ask(source, concept.erase, place), Ask(target, goal, place)
            yield Check("prompts", concept.erase, *asks)


def _others(concept: Concept, names: Sequence[str]) -> Iterator[Check]:
    others = [name for name in names if name != concept.erase]
    for one in wordings(concept, others):
        source = Ask(one.source, one.subject, "subject")
        target = Ask(one.target, one.target_subject, "subject")
        yield Check(one.variant, concept.erase, source, target)
    pairs = prompt_pairs(concept)
    for asked, goal in pairs:
        yield Check("end token", concept.erase, Ask(asked, None, "eos"), Ask(goal, None, "eos"))
    bare, plain = pairs[0]
    yield Check("padding", concept.erase, Ask(bare, None, "pads"), Ask(plain, None, "pads"))
