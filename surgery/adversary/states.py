"""States: the text encoder of before the edit, in front of the edited denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surgery.adversary.base import Budget, Found, Means, Told
from surgery.adversary.networks import same, there
from surgery.runs import Case


@dataclass(frozen=True, slots=True)
class States:
    """An edit of the text encoder is undone by whoever loads the old one; nothing is computed.

    Pipelines take a text encoder, and finished states, from anywhere.
    """

    def missing(self, means: Means) -> str:
        """Where the text encoder was not edited, the old one is the one in use."""
        towers = zip(means.before.towers.values(), means.after.towers.values(), strict=True)
        if all(same(old, new) for old, new in towers):
            return "The text encoder is the old one already."
        return ""

    def cost(self, budget: Budget) -> int:
        """Nothing is tried beforehand."""
        return 0

    def find(self, means: Means) -> Found:
        """The old text encoder's states."""

        def approach(cases: Sequence[Case]) -> Told:
            told = means.before.encode([case.pair.source for case in cases])
            return there(told, means.after), ()

        return Found(
            best="the old text encoder",
            tried="The edited denoiser was given what the text encoder said before the edit.",
            budget="nothing is searched for",
            approach=approach,
            notes=("A text encoder is a file of its own, which anybody can exchange.",),
        )
