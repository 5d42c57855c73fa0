"""What a judge of concepts is asked about the pictures of a set, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from surgery.report.verify import JudgeFacts

if TYPE_CHECKING:
    from torch import Tensor

    from surgery.verify.values import Ask, PromptSet


@dataclass(frozen=True, slots=True)
class Reading:
    """What a judge says of one picture.

    Args:
        score: how much of the concept is there, in the judge's own unit; None where it cannot say.
        shown: whether the concept is seen.
        seen: what is seen, where the judge can name it.
        thing: whether what the prompt asks for beside the concept is seen.
    """

    score: float | None = None
    shown: bool | None = None
    seen: str = ""
    thing: bool | None = None


class Reader(Protocol):
    """Reads pictures; of each by itself, whatever stands beside it."""

    @property
    def facts(self) -> JudgeFacts:
        """Who reads."""
        ...

    def check(self, asked: PromptSet) -> None:
        """Refuse a set that cannot be read, before anything is painted.

        Raises:
            UsageError: as said.
        """
        ...

    def read(self, asked: PromptSet, asks: Sequence[Ask], pictures: Tensor) -> list[Reading]:
        """One reading for each picture.

        Args:
            asks: what the pictures were painted for, some of the set's.
            pictures: (n, 3, H, W) in [-1, 1].
        """
        ...
