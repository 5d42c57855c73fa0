"""What the built-in judge read from every prompt set of its world, before and after an edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from surgery.report.base import Report
from surgery.report.edits import Gate
from surgery.report.shares import Share


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
class ExamReport(Report):
    """What is gone, what stayed, and whether that is as it should be."""

    kind: ClassVar[str] = "exam"

    before: str
    after: str
    sets: tuple[JudgedSet, ...]
    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)
