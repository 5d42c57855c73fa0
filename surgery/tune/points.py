"""What a sweep found: figures of every point, the front, and the point to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from surgery.errors import UsageError
from surgery.report import Report, Spread
from surgery.tune.front import Costs, knee

LeakFigure = Literal[
    "prompts-median", "prompts-p95", "prompts-max",
    "own-median", "own-p95", "own-max",
    "wordings-median", "wordings-p95", "wordings-max",
]  # fmt: skip
DriftFigure = Literal[
    "neutral-median", "neutral-p95", "neutral-max", "held-median", "held-p95", "held-max"
]


@dataclass(frozen=True, slots=True)
class Worst:
    """The largest median, 95th percentile and maximum of the rows that a gate looks at."""

    median: float
    p95: float
    max: float

    @classmethod
    def of(cls, rows: Sequence[Spread]) -> Worst | None:
        """None for no row."""
        if not rows:
            return None
        return cls(
            max(row.median for row in rows),
            max(row.p95 for row in rows),
            max(row.max for row in rows),
        )


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of settings and its figures, as `expect` of a recipe knows them.

    Args:
        prompts: leak of the edit's own prompts, at the places that any point edits: so that points
            with other places can be compared.
        own: the same at the places that the edit itself edits, as `apply` has it.
        wordings: leak of every other wording.
        neutral: drift of prompts that the edit never saw.
        held: drift of what is held; None where it was not measured.
        missed: the recipe's limits that it does not keep.
    """

    settings: Mapping[str, str | float | bool | None]
    prompts: Worst
    own: Worst
    wordings: Worst | None
    neutral: Worst
    held: Worst | None
    missed: tuple[str, ...] = ()

    def figure(self, name: str) -> float:
        """One figure by its name, such as `prompts-median`.

        Raises:
            UsageError: it was not measured.
        """
        group, _, measure = name.partition("-")
        found: Worst | None = getattr(self, group)
        if found is None:
            raise UsageError(f"this edit has no figure '{name}'", hint="choose another")
        value: float = getattr(found, measure)
        return value


@dataclass(frozen=True, slots=True)
class TuneReport(Report):
    """Every point of a sweep; the first is the recipe as it was.

    Args:
        edit: which edit of the recipe, from 0.
        axes: setting -> the values that were tried.
        leak: name of the figure of leak that the front is of; `drift` that of drift.
        front: places of the points that no other beats, from least drift on; where any point
            keeps the recipe's limits, of those that do.
        chosen: the place of the point to take.
        changes: the settings of the chosen point that are not those of the recipe.
        seconds: wall-clock time of each stage.
    """

    kind: ClassVar[str] = "tune"

    recipe: str
    model: str
    edit: int
    method: str
    axes: Mapping[str, tuple[str | float | bool | None, ...]]
    leak: str
    drift: str
    points: tuple[Point, ...]
    front: tuple[int, ...]
    chosen: int
    changes: Mapping[str, str | float | bool | None]
    seconds: Mapping[str, float]

    def costs(self, place: int) -> Costs:
        """Leak and drift of a point."""
        return self.points[place].figure(self.leak), self.points[place].figure(self.drift)


def choose(wish: str, found: Sequence[int], costs: Sequence[Costs]) -> int:
    """The place of the point that was wished for.

    Args:
        wish: knee, leak (the least), drift (the least), or a place.
        found: the front's places, from least drift on.
        costs: of every point.

    Raises:
        UsageError: no such wish, or no point with that number.
    """
    if wish == "knee":
        return found[knee([costs[place] for place in found])]
    if wish in ("leak", "drift"):
        return found[-1 if wish == "leak" else 0]
    place = int(check_wish(wish))
    if place >= len(costs):
        hint = f"they are numbered from 0 to {len(costs) - 1}"
        raise UsageError(f"there is no point {place}", where="--choose", hint=hint)
    return place


def check_wish(wish: str) -> str:
    """Raise UsageError for what can be no wish, whatever is found."""
    if wish in ("knee", "leak", "drift") or (wish.isascii() and wish.isdigit() and len(wish) < 9):
        return wish
    hint = "take knee, leak, drift or the number of a point"
    raise UsageError(f"'{wish}' chooses no point", where="--choose", hint=hint)
