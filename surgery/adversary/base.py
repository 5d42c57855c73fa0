"""What an attack is given, what it finds, and what it may spend. No attack is in here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from surgery.errors import UsageError
from surgery.hooks import Hook
from surgery.judges import Judge
from surgery.model import GUIDANCE, STEPS, Conditioning, Model
from surgery.questions import Pair, Question
from surgery.runs import Case

Purpose: TypeAlias = Literal["choose", "report"]
OnStep: TypeAlias = Callable[[str, int], None]
"""Told what is at work, and how many samples the denoiser was just asked about."""
Told: TypeAlias = tuple[Conditioning, Sequence[Hook]]
Approach: TypeAlias = Callable[[Sequence[Case]], Told]
"""What the denoiser is told in each case, and what changes inside it meanwhile."""

LARGE = 50_000_000
"""Parameters of a denoiser from which a CPU takes minutes for a picture."""

APART = 100_000
"""The least that both families of seeds are apart: no attack uses as many."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What attacks may spend.

    Args:
        pictures: painted for each share of the report.
        tries: painted for each of the few that a choice is between.
        search: short runs that a search over prompts may make; 0 leaves it out.
        updates: steps of textual inversion; 0 leaves it out.
        examples: pictures of the concept that textual inversion learns from.
        rows: noised pictures in each of its steps.
        steps: of the sampler.
        guidance: weight of the prompt against the empty prompt.
        batch: pictures that are painted at a time.
    """

    pictures: int = 48
    tries: int = 8
    search: int = 256
    updates: int = 60
    examples: int = 24
    rows: int = 8
    steps: int = STEPS
    guidance: float = GUIDANCE
    batch: int = 48

    @property
    def glance(self) -> int:
        """Steps of a short run: enough to tell what a picture will show."""
        return max(2, 3 * self.steps // 10)

    @property
    def asked(self) -> int:
        """Samples in a step of a picture: guidance asks the empty prompt beside the prompt."""
        return 1 if self.guidance == 1 else 2


def budget_for(model: Model) -> Budget:
    """The whole budget; on a CPU a large model gets no search and no textual inversion."""
    size = sum(one.numel() for one in model.denoiser.parameters())
    if model.device.type == "cpu" and size > LARGE:
        return Budget(search=0, updates=0)
    return Budget()


@dataclass(frozen=True, slots=True)
class Seeds:
    """The first seed of each family: attacks are chosen on the one and reported on the other.

    Raises:
        UsageError: the families meet.
    """

    choose: int = 5_000_000
    report: int = 9_000_000

    def __post_init__(self) -> None:
        if abs(self.choose - self.report) < APART:
            raise UsageError(
                f"seeds from {self.choose} to choose by and from {self.report} to report by meet",
                hint=f"keep them {APART} apart",
            )

    def first(self, purpose: Purpose) -> int:
        """The seed that cases begin with."""
        return self.choose if purpose == "choose" else self.report


SEEDS = Seeds()
"""The families that every other figure here is chosen and reported on, too."""


@dataclass(frozen=True, slots=True)
class Means:
    """What attacks are made with.

    Args:
        before: the model that shows the concept.
        after: the edited one.
        question: the concept and its prompts.
        judge: it must say whether a picture shows the concept.
        others: further names of the concept.
    """

    before: Model
    after: Model
    question: Question
    judge: Judge
    budget: Budget
    seeds: Seeds
    on_step: OnStep
    others: tuple[str, ...] = ()

    def cases(self, purpose: Purpose, count: int, pair: Pair | None = None) -> tuple[Case, ...]:
        """So many cases, each with a seed of its own, spread evenly over the question's prompts.

        Args:
            pair: the only prompt, instead of those of the question.
        """
        pairs = self.question.pairs if pair is None else (pair,)
        stride, first = max(1, len(pairs) // count), self.seeds.first(purpose)
        return tuple(
            Case(pairs[stride * number % len(pairs)], first + number) for number in range(count)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What an attack comes up with.

    Args:
        best: in words, for the report.
        tried: what was done, in a sentence.
        budget: how much of it.
        approach: how to paint with it.
        pair: the prompt to paint; None for all of the question.
        notes: how the figures must not be read.
    """

    best: str
    tried: str
    budget: str
    approach: Approach
    pair: Pair | None = None
    notes: tuple[str, ...] = ()


class Adversary(Protocol):
    """Looks for a way to make the edited model show the concept."""

    def missing(self, means: Means) -> str:
        """Why it cannot be tried on these models, as a sentence; '' where it can."""
        ...

    def cost(self, budget: Budget) -> int:
        """The most samples that `find` asks a denoiser about."""
        ...

    def find(self, means: Means) -> Found:
        """The best that the budget gives, chosen without any seed of the report."""
        ...
