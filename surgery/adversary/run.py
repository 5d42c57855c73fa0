"""attack: one edited model, one concept, one attack after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surgery.adversary.base import (
    SEEDS,
    Adversary,
    Budget,
    Means,
    OnStep,
    Seeds,
    budget_for,
)
from surgery.adversary.inversion import Inversion
from surgery.adversary.networks import must_match
from surgery.adversary.painting import mute, painted, plain, shown
from surgery.adversary.paraphrase import Paraphrase
from surgery.adversary.rece import Rece
from surgery.adversary.states import States
from surgery.errors import UsageError
from surgery.judges import Judge
from surgery.model import Model
from surgery.questions import Question
from surgery.report import Attack
from surgery.report.probes import Setting
from surgery.report.verify import Figure, PicturePair
from surgery.runs import Case
from surgery.store.text import nearest, quoted

ATTACKS: Mapping[str, Adversary] = {
    "rece": Rece(),
    "states": States(),
    "paraphrase": Paraphrase(),
    "inversion": Inversion(),
}
"""The attacks by name. To add one: its file, and a line here."""

SHOWN = 2
"""Pictures of each attack that the report keeps, beside those without it."""


def attack(
    before: Model,
    after: Model,
    question: Question,
    judge: Judge,
    *,
    names: Sequence[str] = tuple(ATTACKS),
    budget: Budget | None = None,
    seeds: Seeds = SEEDS,
    others: Sequence[str] = (),
    on_step: OnStep = lambda label, done: None,
) -> tuple[Attack, ...]:
    """Try to make an edited model show what was taken out of it.

    What is found shows what comes back by these means and this budget; nothing found is no promise
    that nothing can be. An attack that does not apply is left out, and the notes of the others say
    why.

    Args:
        before: the model that shows the concept.
        after: what was made of it.
        question: the concept and its prompts.
        judge: says of a picture whether it shows the concept.
        names: of ATTACKS.
        budget: None for what the model allows, see `budget_for`.
        seeds: to choose an attack by, and to report it by.
        others: further names of the concept, for the search over prompts.
        on_step: told what is at work, and how many samples were just run, of `cost` in all.

    Raises:
        UsageError: no such attack or none that can be tried, two models of other shapes, or a judge
            that does not say yes or no.
    """
    chosen = {name: _named(name) for name in names}
    must_match(before, after)
    if judge.anchored:
        raise mute(judge.name)
    spent = budget_for(after) if budget is None else budget
    means = Means(before, after, question, judge, spent, seeds, on_step, tuple(others))
    left = {name: why for name, one in chosen.items() if (why := one.missing(means))}
    tried = {name: one for name, one in chosen.items() if name not in left}
    if not tried:
        raise UsageError("no attack can be tried", hint=" ".join(left.values()))
    plainly = _plainly(means)
    notes = tuple(f"The attack {name!r} was left out: {why}" for name, why in left.items())
    return tuple(_attacked(means, name, one, plainly, notes) for name, one in tried.items())


def cost(names: Sequence[str], budget: Budget) -> int:
    """The most samples that a denoiser is asked about in all.

    Raises:
        UsageError: no such attack.
    """
    shares = (2 + len(names)) * budget.pictures * budget.steps * budget.asked
    return shares + sum(_named(name).cost(budget) for name in names)


def _named(name: str) -> Adversary:
    if name not in ATTACKS:
        guess = nearest(name, ATTACKS)
        hint = f"did you mean {guess!r}?" if guess else "there are " + ", ".join(ATTACKS)
        raise UsageError(f"there is no attack {quoted(name)}", hint=hint)
    return ATTACKS[name]


@dataclass(frozen=True, slots=True)
class _Plainly:
    """What both models show when they are asked plainly, and a few of the edited one's pictures."""

    before: Figure
    after: Figure
    pictures: tuple[str, ...]


def _plainly(means: Means) -> _Plainly:
    cases, old, new = means.cases("report", means.budget.pictures), means.before, means.after
    first = painted(means, old, plain(old), cases, label="before")
    edited = painted(means, new, plain(new), cases, label="after", kept=SHOWN)
    return _Plainly(shown(first.marks), shown(edited.marks), edited.pictures)


def _attacked(
    means: Means, name: str, adversary: Adversary, plainly: _Plainly, notes: tuple[str, ...]
) -> Attack:
    began = time.monotonic()
    found = adversary.find(means)
    cases = means.cases("report", means.budget.pictures, found.pair)
    under = painted(means, means.after, found.approach, cases, label=name, kept=SHOWN)
    return Attack(
        name=name,
        concept=means.question.concept,
        tried=f"{found.tried} Budget: {found.budget}.",
        before=plainly.after,
        after=shown(under.marks),
        found=(found.best,),
        original=plainly.before,
        settings=_settings(means),
        pictures=_pairs(means, cases, plainly.pictures, under.pictures),
        seconds=time.monotonic() - began,
        notes=(*found.notes, *notes),
    )


def _settings(means: Means) -> dict[str, Setting]:
    return {
        "pictures": means.budget.pictures,
        "steps": means.budget.steps,
        "guidance": means.budget.guidance,
        "first seed to choose by": means.seeds.choose,
        "first seed to report by": means.seeds.report,
        "judge": means.judge.name,
    }


def _pairs(
    means: Means, cases: Sequence[Case], plain: Sequence[str], under: Sequence[str]
) -> tuple[PicturePair, ...]:
    """The edited model's pictures without and with the attack, from the same noise."""
    concept, few = means.question.concept, cases[: len(under)]
    return tuple(
        PicturePair(case.pair.source, case.seed, "erased", concept, old, new)
        for case, old, new in zip(few, plain, under, strict=True)
    )
