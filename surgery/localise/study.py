"""Over what a probe's figures are taken: prompts, seeds, draws of noise, and the sampling."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from surgery.questions import Question
from surgery.runs.base import Case, Sampling

NOISES = (3.0, 5.0, 8.0, 12.0)
CASES = 4
"""Prompts that a window is run in full with, after a glance."""


@dataclass(frozen=True, slots=True)
class Study:
    """What is asked, and how often.

    Args:
        question: the concept and its prompts.
        seeds: of the pictures; every prompt is painted with each.
        draws: of noise, for probes that corrupt.
        noises: amounts of noise to try, see `Sampling.noise`; the first under which the judge sees
            the concept in at most half of the pictures is used, else the last.
        batch: rows that are run at a time.
        thumbnails: whether to keep a small picture of every place, of the first case.
    """

    question: Question
    sampling: Sampling
    seeds: tuple[int, ...]
    draws: int = 1
    noises: tuple[float, ...] = NOISES
    batch: int = 8
    thumbnails: bool = False

    def shape(self, corrupts: bool) -> tuple[int, int, int]:
        """How many prompts, seeds and draws are crossed."""
        return len(self.question.pairs), len(self.seeds), self.draws if corrupts else 1

    def cases(self, corrupts: bool) -> tuple[Case, ...]:
        """Every prompt with every seed and draw, in the order of the crossing."""
        _, _, draws = self.shape(corrupts)
        crossed = product(self.question.pairs, self.seeds, range(draws))
        return tuple(Case(pair, seed, draw) for pair, seed, draw in crossed)
