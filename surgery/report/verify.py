"""What pictures of two models showed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from surgery.report.base import Report
from surgery.report.edits import Gate


@dataclass(frozen=True, slots=True)
class Share:
    """How many of `count` pictures, with the 95 % interval of Wilson (1927)."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, value: float, count: int) -> Share:
        """The interval of a share `value` (0 to 1) seen in `count` pictures."""
        z = 1.96
        middle = (value + z * z / (2 * count)) / (1 + z * z / count)
        reach = math.sqrt(value * (1 - value) / count + z * z / (4 * count * count))
        half = z * reach / (1 + z * z / count)
        return cls(value, max(0.0, middle - half), min(1.0, middle + half), count)


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """What a judge read from one prompt set, before and after.

    `concept` is the share of pictures that show the set's own concept, `thing` of those that show
    the thing that was asked for; `became` is what most pictures after the edit show instead of, or
    as, the concept.
    """

    concept: str
    sort: str
    erased: bool
    concept_before: Share
    concept_after: Share
    became: str
    thing_before: Share
    thing_after: Share


@dataclass(frozen=True, slots=True)
class VerifyReport(Report):
    """What is gone, what stayed, and whether that is as it should be."""

    kind: ClassVar[str] = "verify"

    before: str
    after: str
    sets: tuple[JudgedSet, ...]
    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)
