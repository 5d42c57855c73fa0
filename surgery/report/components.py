"""What scores of components say: by layer, and the components that stand out on either side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from surgery.report.base import Report
from surgery.report.probes import Cost, Setting


@dataclass(frozen=True, slots=True)
class Correlation:
    """How two figures go together: Pearson's r over `count` pairs, with its 95 % interval."""

    r: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class SiteScores:
    """The scores of one weight.

    Args:
        count: components, of which `positive` speak for the concept and `negative` against it.
        towards: the sum of the scores above zero; `against`, of those below.
    """

    site: str
    count: int
    positive: int
    negative: int
    towards: float
    against: float


@dataclass(frozen=True, slots=True)
class Component:
    """One component and its score.

    Args:
        row: of the weight; `column` is None where the component is the whole row.
    """

    site: str
    row: int
    column: int | None
    score: float

    @property
    def name(self) -> str:
        """As `ff.in[3][7, 12]`."""
        place = f"{self.row}" if self.column is None else f"{self.row}, {self.column}"
        return f"{self.site}[{place}]"


@dataclass(frozen=True, slots=True)
class ComponentReport(Report):
    """What each component of some weights counts for a concept.

    Args:
        unit: what a component is: weight or row.
        sites: every weight that was scored, in execution order.
        positive: the components that speak most for the concept, the first most of all; `negative`,
            those that speak most against it.
        linearity: of attribution: how what scores foretell goes with what random masks then change.
        settings: everything else that the scores depend on, and figures of the method's own.
        scores: the score file, where one was written.
        notes: what the figures do not say.
    """

    kind: ClassVar[str] = "components"

    model: str
    fingerprint: str
    method: str
    concept: str
    target: str
    sort: str
    unit: str
    sites: tuple[SiteScores, ...]
    positive: tuple[Component, ...]
    negative: tuple[Component, ...]
    linearity: Correlation | None = None
    prompts: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    scores: str | None = None
    cost: Cost | None = None
    notes: tuple[str, ...] = ()

    @property
    def towards(self) -> float:
        """The sum of all scores above zero."""
        return sum(one.towards for one in self.sites)

    @property
    def against(self) -> float:
        """The sum of all scores below zero."""
        return sum(one.against for one in self.sites)
