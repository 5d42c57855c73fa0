"""Paraphrase: a search for a prompt that brings the concept up, by what the judge sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from surgery.adversary.base import Approach, Budget, Found, Means, Told
from surgery.adversary.painting import marks, rank
from surgery.adversary.phrases import Phrase, Words, phrases
from surgery.judges import Mark
from surgery.model import Model
from surgery.runs import Case

LOOKS = 2
"""Short runs of each phrase; the best have more of them, and whole ones at last."""
BEST, CHILDREN, FINALISTS = 4, 12, 4


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """Spellings, splits, orders and other prompts, then a climb from the best of them.

    Every phrase is seen in a few short runs. What the judge sees most in is changed by one word
    or letter, as long as the budget lasts; the last few are painted in full, and the best of these
    is the find. No gradient and no old weight is used: it is what somebody with the model and
    patience can do.
    """

    def missing(self, means: Means) -> str:
        """Left out by the budget alone."""
        return "" if means.budget.search else "Left out: the budget has no search."

    def cost(self, budget: Budget) -> int:
        """All short runs, and the whole ones of the last few."""
        if not budget.search:
            return 0
        last = FINALISTS * budget.tries * budget.steps
        return budget.asked * (budget.search * budget.glance + last)

    def find(self, means: Means) -> Found:
        """The best of the last few."""
        search = _Search(means)
        begun = len(search.look(_spread(search.begin(), means.budget.search // LOOKS)))
        search.climb()
        best = search.last()
        return Found(
            best=best.text,
            tried="Spellings, splits, word orders and prompts around the name were searched for "
            "the one that the judge sees most of the concept in.",
            budget=f"{begun} phrases and {len(search.seen) - begun} changes of the best, in "
            f"{search.spent} short runs; {FINALISTS} painted {means.budget.tries} times",
            approach=_approach(means.after, best),
            pair=best.pair,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run(Case):
    """A case that is asked for in other words; the judge is told its own."""

    phrase: Phrase


@dataclass(slots=True)
class _Search:
    means: Means
    seen: dict[Phrase, list[Mark]] = field(default_factory=dict)
    spent: int = 0

    def begin(self) -> list[Phrase]:
        """The phrases to begin with that the model reads whole."""
        found = phrases(self.means.question, self.means.others)
        return [phrase for phrase in found if self._fits(phrase)]

    def look(self, some: Sequence[Phrase]) -> Sequence[Phrase]:
        """See each phrase in its next short runs."""
        runs = [run for phrase in some for run in self._next(phrase)]
        for run, mark in zip(runs, self._marks(runs, self.means.budget.glance), strict=True):
            self.seen.setdefault(run.phrase, []).append(mark)
        self.spent += len(runs)
        return some

    def climb(self) -> None:
        """Change the best, generation by generation, until the budget is spent."""
        words, draw = Words.of(self.means.question), np.random.default_rng(self.means.seeds.choose)
        cost = LOOKS * (BEST + CHILDREN)
        while self.spent + cost <= self.means.budget.search:
            best = self._best(BEST)
            self.look([one for one in best if len(self.seen[one]) <= LOOKS])
            born = dict.fromkeys(
                words.changed(best[number % len(best)], draw) for number in range(CHILDREN)
            )
            new = [one for one in born if one not in self.seen and self._fits(one)]
            if not new:
                break
            self.look(new)

    def last(self) -> Phrase:
        """The best of the last few, each painted in full."""
        budget, finalists = self.means.budget, self._best(FINALISTS)
        runs = [run for phrase in finalists for run in self._runs(phrase, budget.tries)]
        found: dict[Phrase, list[Mark]] = {}
        for run, mark in zip(runs, self._marks(runs, budget.steps), strict=True):
            found.setdefault(run.phrase, []).append(mark)
        return min(found, key=lambda phrase: rank(self.means, found[phrase]))

    def _best(self, count: int) -> list[Phrase]:
        return sorted(self.seen, key=lambda one: rank(self.means, self.seen[one]))[:count]

    def _next(self, phrase: Phrase) -> list[_Run]:
        had = len(self.seen.get(phrase, ()))
        return self._runs(phrase, had + LOOKS)[had:]

    def _runs(self, phrase: Phrase, count: int) -> list[_Run]:
        cases = self.means.cases("choose", count, phrase.pair)
        return [_Run(pair=case.pair, seed=case.seed, phrase=phrase) for case in cases]

    def _marks(self, runs: Sequence[_Run], steps: int) -> list[Mark]:
        means = self.means
        return marks(means, means.after, self._told, runs, label="paraphrase", steps=steps)

    def _told(self, runs: Sequence[Case]) -> Told:
        prompts = [run.phrase.prompt(run.pair) for run in runs if isinstance(run, _Run)]
        return self.means.after.encode(prompts), ()

    def _fits(self, phrase: Phrase) -> bool:
        prompts = [phrase.prompt(pair) for pair in self.means.question.pairs]
        tokens = [self.means.after.tokens(tower) for tower in self.means.after.towers]
        return all(one.fits(prompt) for one in tokens for prompt in prompts)


def _approach(model: Model, phrase: Phrase) -> Approach:
    def told(cases: Sequence[Case]) -> Told:
        return model.encode([phrase.prompt(case.pair) for case in cases]), ()

    return told


def _spread(some: Sequence[Phrase], count: int) -> Sequence[Phrase]:
    """At most so many, evenly from all."""
    step = max(1, -(-len(some) // max(1, count)))
    return some[::step]
