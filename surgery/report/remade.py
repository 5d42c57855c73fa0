"""What came of making an edit again: how far each tensor is from the one that is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from surgery.report.base import Report

Level = Literal["identical", "rounding", "small", "different"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class RemadeTensor:
    """One tensor, made again.

    Args:
        level: identical: the same bytes; rounding: no entry further than one step of its type, or
            1e-6 of the weights; small: at most 1 % of the edit's own change; different: more.
        steps: the most steps of the stored type between an entry and its twin.
        relative: ||found - made again|| / ||made again||.
        of_change: the same beside the change that the edit makes.
        as_recorded: whether the bytes that are there are those that were recorded.
    """

    name: str
    dtype: str
    level: Level
    steps: int
    relative: float
    of_change: float
    as_recorded: bool


@dataclass(frozen=True, slots=True)
class VersionChange:
    """Something that was another one when the edit was made; "" where it was not named."""

    name: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class ReproduceReport(Report):
    """An edit made again from its record, beside what is there.

    Args:
        identical: how many tensors outside the edit have the same bytes as in the base.
        astray: those that do not, or are in one of the two only.
        versions: what differs between then and now.
    """

    kind: ClassVar[str] = "reproduce"

    out: str
    base: str
    recipe: str
    tensors: tuple[RemadeTensor, ...]
    identical: int
    astray: tuple[str, ...]
    versions: tuple[VersionChange, ...]

    @property
    def level(self) -> Level:
        """How far the worst tensor is off; one that should not have changed is the worst."""
        if self.astray:
            return "different"
        return max((each.level for each in self.tensors), key=LEVELS.index, default="identical")

    def within(self, allowed: Level) -> bool:
        """Whether nothing is further off than `allowed`."""
        return LEVELS.index(self.level) <= LEVELS.index(allowed)
