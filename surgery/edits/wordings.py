"""How else people ask for a concept than in the prompts an edit is solved on.

What is erased only in the words it was erased by is still there. Each wording says what the edited
model should read it as, so that its leak can be measured as that of the edit's own prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from surgery.edits.base import Concept
from surgery.edits.names import words
from surgery.edits.neutral import neutral_prompts
from surgery.edits.phrasings import INFLECTIONS, LANGUAGES, PARAPHRASES, Form
from surgery.edits.preserve import CAPTIONS, SIBLINGS
from surgery.edits.spellings import misspelled, unaccented, unchanged
from surgery.edits.templates import TEMPLATES, prompt_pairs, target_of

Variant = Literal["paraphrases", "inflections", "misspellings", "languages"]

SLIPS = 6
"""Misspellings of a name; a name of very few letters has fewer."""

CARRIERS = 2
"""Templates of the kind that misspelled names take turns in: the bare name, and one more."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A prompt that asks for a concept, and the prompt it should be read as.

    Args:
        variant: in which way it differs from the prompts the edit is solved on.
        source: the prompt.
        subject: the words in it that name the concept, as they are spelled there.
        target: the prompt that the edited model should read it as.
        target_subject: the words in that which name the target.
    """

    variant: Variant
    source: str
    subject: str
    target: str
    target_subject: str


def wordings(concept: Concept, others: Sequence[str] = ()) -> tuple[Wording, ...]:
    """Every wording of a concept, always the same ones in the same order.

    None is a prompt that the edit is solved on, and none spells the target or another name. Names
    are not translated: a plain word such as "dog" stays English among the words of a language.

    Args:
        others: further names that no wording may spell, such as a recipe's other concepts.
    """
    taken = {_folded(source) for source, _ in prompt_pairs(concept)}
    barred = {_folded(name) for name in (target_of(concept), *others)}
    found = dict.fromkeys((*_paraphrases(concept), *_inflections(concept)))
    found |= dict.fromkeys((*_misspellings(concept, others), *_languages(concept)))
    return tuple(
        wording
        for wording in found
        if _folded(wording.source) not in taken and _folded(wording.subject) not in barred
    )


def _paraphrases(concept: Concept) -> Iterator[Wording]:
    for template, plain in PARAPHRASES[concept.kind].items():
        form = Form(unchanged, template, plain)
        yield _wording("paraphrases", concept, form, concept.erase)


def _inflections(concept: Concept) -> Iterator[Wording]:
    for form in INFLECTIONS[concept.kind]:
        subject = form.spell(concept.erase)
        if form.spell is unchanged or subject != concept.erase:
            yield _wording("inflections", concept, form, subject)


def _misspellings(concept: Concept, others: Sequence[str]) -> Iterator[Wording]:
    own = {*words(concept.erase), *words(unaccented(concept.erase))}
    real = _real_words().union(*map(words, (target_of(concept), *others))) - own

    def allowed(spelling: str) -> bool:
        return real.isdisjoint(words(spelling))

    for number, spelling in enumerate(misspelled(concept.erase, SLIPS, allowed)):
        template = TEMPLATES[concept.kind][number % CARRIERS]
        yield _wording("misspellings", concept, Form(unchanged, template), spelling)


def _languages(concept: Concept) -> Iterator[Wording]:
    for template in LANGUAGES[concept.kind]:
        yield _wording("languages", concept, Form(unchanged, template), concept.erase)


def _wording(variant: Variant, concept: Concept, form: Form, subject: str) -> Wording:
    source = form.template.replace("{}", subject)
    if medium := _medium(concept):
        goal, named = form.plain.replace("{}", medium), medium.split()[-1]
    else:
        named = form.spell(target_of(concept)) if form.both else target_of(concept)
        goal = form.template.replace("{}", named)
    return Wording(variant, source, subject, goal, named)


def _medium(concept: Concept) -> str | None:
    """`a painting` where a style becomes one, and so no template is used for its target."""
    probe = concept.model_copy(update={"prompts": ("like {}",)})
    ((_, goal),) = prompt_pairs(probe)
    return None if goal == f"like {target_of(concept)}" else goal


@cache
def _real_words() -> frozenset[str]:
    """Words that mean something of their own; a slip that makes one asks for something else."""
    texts = (
        *neutral_prompts(),
        *CAPTIONS,
        *(name for names in SIBLINGS.values() for name in names),
    )
    return frozenset(word for text in texts for word in words(text))


def _folded(text: str) -> str:
    """As a tokenizer that knows no case sees it."""
    return " ".join(text.casefold().split())
