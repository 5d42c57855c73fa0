"""What a judge is asked, is shown and answers. No judge is in here, and no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from surgery.errors import UsageError
from surgery.report.probes import Best

if TYPE_CHECKING:
    from torch import Tensor

    from surgery.questions import Pair, Question, Sort

Sees: TypeAlias = Literal["pictures", "latents"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a judge says of one run.

    Args:
        score: how much of the concept is there, in the judge's own unit.
        shown: whether the concept is seen; None where the judge does not say yes or no.
    """

    score: float
    shown: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Runs as a judge sees them, one row for each.

    Args:
        latents: (n, channels, height, width), at the end of the run.
        pairs: the prompts of each run.
        pictures: (n, 3, H, W) in [-1, 1]; None for a judge that sees latents.
        source, target: as `latents`, of the same prompt and seed where nothing, and where
            everything was replaced; None for a judge without anchors.
    """

    latents: Tensor
    pairs: Sequence[Pair]
    pictures: Tensor | None = None
    source: Tensor | None = None
    target: Tensor | None = None


@runtime_checkable
class Judge(Protocol):
    """Says how much of a concept a run shows; of each row by itself, whatever stands beside it."""

    @property
    def name(self) -> str:
        """Its kind, and the model it looks with, down to the values of the weights."""
        ...

    @property
    def sees(self) -> Sees:
        """What of `Seen` it looks at; for `latents` nothing needs to be decoded."""
        ...

    @property
    def anchored(self) -> bool:
        """Whether it needs `source` and `target`."""
        ...

    def best(self, sort: Sort) -> Best:
        """Whether the run to look for is the one with the least or with the most score."""
        ...

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        """One mark for each row.

        Raises:
            UsageError: a concept or runs that it cannot judge.
        """
        ...


def pictures_of(seen: Seen) -> Tensor:
    """The pictures, (n, 3, H, W) in [-1, 1].

    Raises:
        UsageError: there are only latents.
    """
    if seen.pictures is None:
        raise UsageError("a judge of pictures was shown latents alone")
    return seen.pictures


def marked(judge: str, scores: Sequence[float], shown: Sequence[bool] | None = None) -> list[Mark]:
    """Scores as marks.

    Raises:
        UsageError: one is no number.
    """
    for row, score in enumerate(scores):
        if not math.isfinite(score):
            raise UsageError(
                f"the judge {judge!r} gives {score} for run {row}",
                hint="if the model overflows, use --dtype float32",
            )
    seen = shown if shown is not None else [None] * len(scores)
    return [Mark(float(score), one) for score, one in zip(scores, seen, strict=True)]
