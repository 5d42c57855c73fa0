"""What a probe found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from surgery.errors import UsageError
from surgery.report.base import Report


@dataclass(frozen=True, slots=True)
class Score:
    """What a probe measured at one site: mean over `count` runs and their standard deviation."""

    site: str
    mean: float
    std: float
    count: int


@dataclass(frozen=True, slots=True)
class ProbeReport(Report):
    """Where a model keeps a concept.

    Args:
        scores: one for each place that was tried; `site` is a selector.
        best: whether the place with the least or the most is the one to edit.
    """

    kind: ClassVar[str] = "probe"

    model: str
    method: str
    concept: str
    target: str
    best: Literal["least", "most"]
    scores: tuple[Score, ...]

    def top(self, count: int) -> tuple[str, ...]:
        """The selectors of the best places, the best first.

        Raises:
            UsageError: there are fewer.
        """
        if not 1 <= count <= len(self.scores):
            raise UsageError(f"the best {count} of {len(self.scores)} places in a probe report")
        sign = 1 if self.best == "least" else -1
        ranked = sorted(self.scores, key=lambda score: sign * score.mean)
        return tuple(score.site for score in ranked[:count])
