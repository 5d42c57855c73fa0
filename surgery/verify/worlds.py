"""What the models of each vocabulary know, as subjects with their prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from surgery.edits.base import Concept, Kind
from surgery.edits.names import words
from surgery.edits.neutral import prompts_without
from surgery.edits.templates import prompt_pairs
from surgery.questions import Vocabulary, ask, questions
from surgery.verify.amounts import Amount
from surgery.verify.seeds import seeded
from surgery.verify.values import PromptSet

if TYPE_CHECKING:
    from surgery.atelier.exam import PromptSet as ExamSet

Prompts: TypeAlias = Sequence[tuple[str, str]]
"""Each with what it shows beside the concept, '' where nothing says."""
EVERYDAY = "everyday prompts"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that can be asked for.

    Args:
        alias: what it is called in its prompts, where that is another name.
    """

    name: str
    sort: Kind
    target: str = ""
    alias: str = ""

    def called(self, alias: str) -> Subject:
        """The same by another name."""
        return replace(self, alias=alias)


class World(Protocol):
    """A vocabulary for verification."""

    def subjects(self, gone: Sequence[Concept]) -> tuple[Subject, ...]:
        """All that is known and may be kept."""
        ...

    def prompts(self, subject: Subject) -> Prompts:
        """A subject's prompts."""
        ...

    def plain(self, gone: Sequence[str], much: Amount, first_seed: int) -> tuple[PromptSet, ...]:
        """Prompts about nothing that can be erased."""
        ...


class _Atelier:
    """The built-in model's world: every artist, thing and flag that it was taught."""

    def subjects(self, gone: Sequence[Concept]) -> tuple[Subject, ...]:
        return tuple(Subject(one.concept, one.sort, one.target) for one in questions("atelier"))

    def prompts(self, subject: Subject) -> Prompts:
        known = {words(one.concept): one for one in _exam()}
        if (found := known.get(words(subject.name))) is None:
            return _generic(subject)
        styled = found.kind == "style"
        things = [scene.thing if styled else "" for scene in found.wanted]
        said = [_said(prompt, subject) for prompt in found.prompts]
        return tuple(zip(said, things, strict=True))

    def plain(self, gone: Sequence[str], much: Amount, first_seed: int) -> tuple[PromptSet, ...]:
        (found,) = (one for one in _exam() if one.kind == "plain")
        prompts = [(prompt, "") for prompt in found.prompts]
        asks = seeded(prompts, much.seeds, first_seed, much.prompts)
        artists = tuple(one.concept for one in questions("atelier", ["style"]))
        return (PromptSet("unrelated", "plain", "plain", asks, others=artists),)


class _World:
    """What models of the wide world know."""

    def subjects(self, gone: Sequence[Concept]) -> tuple[Subject, ...]:
        """Those of the sorts that are erased."""
        asked = [ask(one.erase, one.target, one.kind, vocabulary="world") for one in gone]
        known: Mapping[str, Kind] = {name: one.sort for one in asked for name in one.siblings}
        sorts = {words(one.concept): one for one in questions("world")}
        return tuple(
            Subject(name, found.sort, found.target)
            if (found := sorts.get(words(name)))
            else Subject(name, sort)
            for name, sort in known.items()
        )

    def prompts(self, subject: Subject) -> Prompts:
        target = subject.target or "something else"
        asked = ask(subject.name, target, subject.sort, vocabulary="world")
        return tuple((_said(pair.source, subject), "") for pair in asked.pairs)

    def plain(self, gone: Sequence[str], much: Amount, first_seed: int) -> tuple[PromptSet, ...]:
        prompts = [(prompt, "") for prompt in prompts_without(gone)]
        asks = seeded(prompts, much.seeds, first_seed, much.prompts)
        return (PromptSet("unrelated", EVERYDAY, "", asks, own=True),)


def world_of(vocabulary: Vocabulary) -> World:
    """The world of a vocabulary."""
    return _Atelier() if vocabulary == "atelier" else _World()


def _exam() -> Sequence[ExamSet]:
    from surgery.atelier.exam import prompt_sets

    return prompt_sets()


def _said(prompt: str, subject: Subject) -> str:
    return prompt.replace(subject.name, subject.alias) if subject.alias else prompt


def _generic(subject: Subject) -> Prompts:
    concept = Concept(erase=subject.alias or subject.name, target="nothing", kind=subject.sort)
    return tuple((source, "") for source, _ in prompt_pairs(concept))
