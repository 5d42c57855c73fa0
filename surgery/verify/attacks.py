"""Attacks on every concept of a verification, seen by its own judge, with its own sampling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from surgery.edits.base import Concept
from surgery.edits.templates import target_of
from surgery.engine.serial import torch_threads
from surgery.judges.base import Mark, Seen, Sees, marked, pictures_of
from surgery.questions import Question, ask
from surgery.questions.synonyms import synonyms
from surgery.report.probes import Best
from surgery.report.verify import Attack
from surgery.verify.bench import Bench
from surgery.verify.plan import Plan
from surgery.verify.prompts import erased
from surgery.verify.readers.base import Reader
from surgery.verify.run import OnStep
from surgery.verify.values import Ask, PromptSet

if TYPE_CHECKING:
    from surgery.adversary import Budget, Seeds
    from surgery.model import Model
    from surgery.questions import Sort

CHOOSE = (5_000_000, 3_000_000)
"""First seeds to choose attacks by; the second where the report has the first."""


def attacks(
    made: Plan, judges: Bench, on_step: OnStep = lambda label, done: None
) -> tuple[Attack, ...]:
    """Try to bring back each concept that should be gone.

    Args:
        on_step: told what is at work, and how many samples were just run, of `most` in all.

    Raises:
        UsageError: two models of other shapes, or a judge that does not say what it sees.
    """
    from surgery.adversary import attack

    found: list[Attack] = []
    with torch_threads(made.painting.threads):
        before, after = _models(made)
        for concept in erased(made.wish, made.vocabulary):
            found += attack(
                before,
                after,
                _question(made, concept),
                ReaderJudge(judges.reader, _asked(made, concept)),
                budget=_budget(made, after),
                seeds=_seeds(made.wish.first_seed),
                others=made.wish.synonyms.get(concept.erase) or synonyms(concept.erase),
                on_step=on_step,
            )
    return tuple(found)


def most(made: Plan) -> int:
    """The most samples that `attacks` asks a denoiser about in all."""
    from surgery.adversary import ATTACKS, cost

    _, after = _models(made)
    return len(erased(made.wish, made.vocabulary)) * cost(tuple(ATTACKS), _budget(made, after))


def _models(made: Plan) -> tuple[Model, Model]:
    from surgery.verify.painting import model_of

    first = {item.arm: item for item in reversed(made.items())}
    return model_of(first["before"]), model_of(first["after"])


def _budget(made: Plan, after: Model) -> Budget:
    """What the model allows, in the sampling and for at most the pictures of the verification."""
    from surgery.adversary import budget_for

    own = budget_for(after)
    return replace(
        own,
        pictures=min(made.wish.pictures or own.pictures, own.pictures),
        steps=made.painting.steps,
        guidance=made.guidance,
        batch=made.where.batch,
    )


@dataclass(frozen=True, slots=True)
class ReaderJudge:
    """A reader of concepts as a judge.

    Args:
        asked: what the reader is told that it looks at.
    """

    reader: Reader
    asked: PromptSet

    @property
    def name(self) -> str:
        """What reports call it."""
        facts = self.reader.facts
        return f"{facts.name} {facts.model} {facts.revision}".strip()

    @property
    def sees(self) -> Sees:
        """Readers read pictures."""
        return "pictures"

    @property
    def anchored(self) -> bool:
        """They need no others."""
        return False

    def best(self, sort: Sort) -> Best:
        """The least: there the concept is gone."""
        return "least"

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        """What the reader says; no score counts as whether the concept is seen."""
        asks = [Ask(pair.source, 0) for pair in seen.pairs]
        found = self.reader.read(self.asked, asks, pictures_of(seen))
        scores = [float(bool(one.shown)) if one.score is None else one.score for one in found]
        return [
            replace(mark, shown=one.shown)
            for mark, one in zip(marked(self.name, scores), found, strict=True)
        ]


def _question(made: Plan, concept: Concept) -> Question:
    return ask(
        concept.erase,
        target_of(concept),
        concept.kind,
        prompts=concept.prompts,
        vocabulary=made.vocabulary,
    )


def _asked(made: Plan, concept: Concept) -> PromptSet:
    for one in made.sets:
        if one.group == "erased" and one.concept == concept.erase:
            return one
    return PromptSet("erased", concept.erase, concept.kind, (), target_of(concept))


def _seeds(report: int) -> Seeds:
    from surgery.adversary import APART, Seeds

    return Seeds(next(one for one in CHOOSE if abs(one - report) >= APART), report)
