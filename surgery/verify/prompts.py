"""The prompt sets of a verification: what is erased in every wording, what stays, what is beside.

Prompts come from the built-in vocabularies; `worlds` knows what each of them paints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from surgery.edits.base import Concept, Kind
from surgery.edits.names import within, words
from surgery.edits.templates import PLAIN, target_of
from surgery.edits.wordings import Wording, wordings
from surgery.errors import UsageError
from surgery.questions import Vocabulary, ask
from surgery.questions.synonyms import synonyms
from surgery.report.verify import Group
from surgery.store.text import quoted
from surgery.verify.amounts import Amount, amount
from surgery.verify.given import given_sets
from surgery.verify.seeds import seeded, spread
from surgery.verify.values import PromptSet
from surgery.verify.wish import Wish, concepts_of, preserved_by
from surgery.verify.worlds import Prompts, Subject, world_of

_GROUPS: dict[str, Group] = {
    "paraphrases": "paraphrase",
    "inflections": "paraphrase",
    "languages": "paraphrase",
    "misspellings": "misspelling",
}


def prompt_sets(wish: Wish, vocabulary: Vocabulary) -> tuple[PromptSet, ...]:
    """Everything that both models are asked.

    Raises:
        UsageError: no concept is named, or nothing says what sort it is.
    """
    gone = erased(wish, vocabulary)
    if wish.given:
        sets: Iterable[PromptSet] = given_sets(wish.given, _kinds(wish, gone, vocabulary))
    elif not gone:
        raise UsageError(
            "nothing says what should be gone",
            hint="name it by --concept, or give the recipe by --recipe",
        )
    else:
        sets = _Asking(wish, vocabulary, gone, tuple(_beside(gone, vocabulary))).sets()
    return tuple(one.first(wish.pictures) for one in sets if one.asks)


def _kinds(wish: Wish, gone: Sequence[Concept], vocabulary: Vocabulary) -> Mapping[str, PromptSet]:
    """How prompts of the user's own are judged, by the concept that they name."""
    beside, names = _beside(gone, vocabulary), [one.erase for one in gone]
    subjects = [*(_subject(one) for one in gone), *beside]
    sort = gone[0].kind if gone else "object"
    known = {words(one.name) for one in subjects}
    named = dict.fromkeys(one.concept for one in wish.given if one.concept)
    subjects += [Subject(name, sort) for name in named if words(name) not in known]
    found = {
        one.name: PromptSet(
            _usual(one.name, names), one.name, one.sort, (), one.target, _others(one, beside, gone)
        )
        for one in subjects
    }
    by_words = {words(name): one for name, one in found.items()}
    found |= {name: by_words[words(name)] for name in named if words(name) in by_words}
    return found | ({"": found[gone[0].erase]} if gone else {})


def _usual(name: str, gone: Sequence[str]) -> Group:
    return "given" if name in gone else "kept"


def _subject(concept: Concept) -> Subject:
    return Subject(concept.erase, concept.kind, target_of(concept))


def _beside(gone: Sequence[Concept], vocabulary: Vocabulary) -> list[Subject]:
    """All that is known and should stay."""
    names = [one.erase for one in gone]
    known = world_of(vocabulary).subjects(gone)
    return [one for one in known if not _names_any(one.name, names)]


def erased(wish: Wish, vocabulary: Vocabulary) -> tuple[Concept, ...]:
    """The concepts that should be gone.

    Raises:
        UsageError: nothing says what sort one is, or a recipe does not erase it.
    """
    known = concepts_of(wish.recipe) if wish.recipe else ()
    if not wish.concepts:
        return known
    by_name = {words(one.erase): one for one in known}
    return tuple(
        by_name.get(words(name)) or _concept(name, wish, vocabulary) for name in wish.concepts
    )


def _concept(name: str, wish: Wish, vocabulary: Vocabulary) -> Concept:
    sort = cast(Kind | None, wish.sorts.get(name))
    target = wish.targets.get(name)
    try:
        found = ask(name, target, sort, vocabulary=vocabulary)
    except UsageError:
        if vocabulary != "atelier":
            raise
        # Its judge says what it knows, and what was meant.
        return Concept(erase=name, target=target or PLAIN["style"], kind=sort or "style")
    return Concept(erase=name, target=found.target, kind=found.sort)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Makes the built-in sets.

    Args:
        gone: what should be gone.
        beside: what is known besides.
    """

    wish: Wish
    vocabulary: Vocabulary
    gone: tuple[Concept, ...]
    beside: tuple[Subject, ...]

    def sets(self) -> Iterator[PromptSet]:
        """What is erased in every wording, what is kept, what is beside, and plain prompts."""
        world = world_of(self.vocabulary)
        for concept in self.gone:
            own = _subject(concept)
            yield self._set("erased", own, world.prompts(own))
            yield from self._renamed(own)
            yield from self._reworded(concept)
        kept, rest = self._parted()
        groups: dict[Group, Sequence[Subject]] = {"kept": kept, "unrelated": rest}
        names = [one.erase for one in self.gone]
        for group, subjects in groups.items():
            for one in subjects:
                # A prompt that names what is erased should change, whatever else it names.
                made = [said for said in world.prompts(one) if not _holds_any(said[0], names)]
                yield self._set(group, one, made)
        yield from world.plain(names, self._amount("unrelated"), self.wish.first_seed)

    def _amount(self, group: Group) -> Amount:
        return amount(group, self.vocabulary, self.wish.seeds)

    def _set(self, group: Group, subject: Subject, prompts: Prompts) -> PromptSet:
        much = self._amount(group)
        asks = seeded(prompts, much.seeds, self.wish.first_seed, much.prompts)
        others = _others(subject, self.beside, self.gone)
        return PromptSet(group, subject.name, subject.sort, asks, subject.target, others)

    def _renamed(self, own: Subject) -> Iterator[PromptSet]:
        """The concept's own prompts with each of its other names."""
        much = self._amount("synonym")
        named = (*self.wish.synonyms.get(own.name, ()), *synonyms(own.name))[: much.sets]
        world = world_of(self.vocabulary)
        prompts = [
            prompt
            for name in named
            for prompt in spread(world.prompts(own.called(name)), much.prompts)
        ]
        if prompts:
            yield replace(
                self._set("synonym", own, ()),
                asks=seeded(prompts, much.seeds, self.wish.first_seed),
            )

    def _reworded(self, concept: Concept) -> Iterator[PromptSet]:
        """Paraphrases, inflections and languages as one set, misspellings as another."""
        own = _subject(concept)
        found = wordings(concept, _others(own, self.beside, self.gone))
        groups: tuple[Group, ...] = ("paraphrase", "misspelling")
        for group in groups:
            some = [one for one in found if _GROUPS[one.variant] == group]
            yield self._set(group, own, [(one.source, "") for one in _mixed(some)])

    def _parted(self) -> tuple[list[Subject], list[Subject]]:
        """What is kept, the named ones first; and what has nothing to do with what is erased."""
        wish, much = self.wish, self._amount("kept")
        sorts = {one.kind for one in self.gone}
        named = [*wish.keep, *(preserved_by(wish.recipe) if wish.recipe else ())]
        first = list(_named(named, self.beside, self.gone, explicit=wish.keep))
        like = [one for one in self.beside if one.sort in sorts and one not in first]
        kept = [*first, *like]
        rest = [one for one in self.beside if one not in kept]
        most = max(len(wish.keep), much.sets or len(kept))
        return kept[:most], rest if self.vocabulary == "atelier" else []


def _mixed(found: Sequence[Wording]) -> list[Wording]:
    """Each variant in turn, so that the first few hold some of all."""
    kinds = dict.fromkeys(one.variant for one in found)
    rows = [[one for one in found if one.variant == kind] for kind in kinds]
    longest = max(map(len, rows), default=0)
    return [row[place] for place in range(longest) for row in rows if place < len(row)]


def _named(
    names: Sequence[str],
    beside: Sequence[Subject],
    gone: Sequence[Concept],
    explicit: Sequence[str],
) -> Iterator[Subject]:
    known = {words(one.name): one for one in beside}
    for name in dict.fromkeys(names):
        if _names_any(name, [one.erase for one in gone]):
            if name in explicit:
                raise UsageError(f"{quoted(name)} cannot be kept: it names what should be gone")
            continue
        if (found := known.get(words(name))) is not None:
            yield found
        elif name in explicit:
            yield Subject(name, gone[0].kind, "")


def _others(own: Subject, beside: Sequence[Subject], gone: Sequence[Concept]) -> tuple[str, ...]:
    """What else of its sort a picture might show."""
    names = [one.name for one in beside if one.sort == own.sort]
    names += [one.erase for one in gone if one.kind == own.sort]
    found = dict.fromkeys((*names, own.target) if own.target else names)
    return tuple(name for name in found if words(name) != words(own.name))


def _names_any(name: str, gone: Sequence[str]) -> bool:
    own = words(name)
    return any(within(words(one), own) or within(own, words(one)) for one in gone)


def _holds_any(prompt: str, names: Sequence[str]) -> bool:
    return any(within(words(name), words(prompt)) for name in names)
