"""What a probe found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from surgery.errors import UsageError
from surgery.report.base import Report
from surgery.report.shares import Share

Best = Literal["least", "most"]
Setting = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Score:
    """What a probe measured at one place: the judge's score over `count` runs.

    Args:
        site: a selector, or the name of a run in which nothing or everything was replaced.
        mean, std: of the judge's score, in the judge's own unit.
        effect: how far the place alone brings the score from one anchor to the other: 0 none of
            the way, 1 all of it.
        low, high: the effect's 95 % interval over prompts, seeds and noise draws; None where
            nothing was drawn more than once.
        shown: in how many pictures the judge saw the concept, where it says yes or no.
        column: at which tokens, for places in a text tower.
    """

    site: str
    mean: float
    std: float
    count: int
    effect: float = 0.0
    low: float | None = None
    high: float | None = None
    shown: Share | None = None
    column: str = ""

    @property
    def name(self) -> str:
        """The site, and the tokens where there are any."""
        return f"{self.site} at {self.column}" if self.column else self.site


@dataclass(frozen=True, slots=True)
class Cost:
    """What a probe took.

    Args:
        evaluations: denoiser runs on one sample.
        seconds: of the whole probe, the loading of the model left out.
        peak_mb: the most memory the process held, in 10^6 bytes.
        kept: measurements that an earlier, stopped run had made.
    """

    evaluations: int
    seconds: float
    peak_mb: float
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture behind a score: a PNG as base64 text, and the place it belongs to."""

    site: str
    column: str
    png: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProbeReport(Report):
    """Where a model keeps a concept.

    Args:
        model, fingerprint: its address, and the checkpoint it stands for.
        sort: style, object or fact.
        judge: who scored, with its model.
        best: whether the place with the least or the most score is the one to edit.
        scores: one for each place that was tried; `site` is a selector.
        anchors: the runs in which nothing, and in which everything was replaced; in full and by the
            judge of these, where any place was run in full.
        smaller: places of windows of other sizes that were tried, mostly smaller ones that did not
            suffice.
        checked: of a probe that foretells, the places that were run in full; what was shown there
            is told with the foretold effects too.
        found: the selector to edit, '' where no place passed.
        prompts: the prompts with the concept, each with the same prompt without it.
        settings: everything else that the figures depend on.
        notes: what the figures do not say.
    """

    kind: ClassVar[str] = "probe"

    model: str
    method: str
    concept: str
    target: str
    best: Best
    scores: tuple[Score, ...]
    fingerprint: str = ""
    sort: str = ""
    judge: str = ""
    anchors: tuple[Score, ...] = ()
    smaller: tuple[Score, ...] = ()
    checked: tuple[Score, ...] = ()
    found: str = ""
    prompts: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    cost: Cost | None = None
    notes: tuple[str, ...] = ()
    pictures: tuple[Thumbnail, ...] = ()

    def ranked(self) -> tuple[Score, ...]:
        """The places, what was found before all, then the best first; of equal ones the earlier."""
        sign = 1 if self.best == "least" else -1
        order = sorted(self.scores, key=lambda score: sign * score.mean)
        return tuple(sorted(order, key=lambda score: score.site != self.found))

    def top(self, count: int) -> tuple[str, ...]:
        """The selectors of the best places, the best first.

        Raises:
            UsageError: there are fewer.
        """
        if not 1 <= count <= len(self.scores):
            raise UsageError(f"the best {count} of {len(self.scores)} places in a probe report")
        return tuple(score.site for score in self.ranked()[:count])


@dataclass(frozen=True, slots=True)
class SortFinding:
    """Where the concepts of one sort are kept, taken together.

    Args:
        site: the place with the largest mean effect.
        effect: that mean over `count` concepts.
        agreeing: of how many concepts the own best place shares a layer with it.
    """

    sort: str
    site: str
    effect: float
    count: int
    agreeing: int


@dataclass(frozen=True, slots=True)
class SurveyReport(Report):
    """Where a model keeps style, objects and facts: a probe of several concepts of each sort."""

    kind: ClassVar[str] = "survey"

    model: str
    method: str
    sorts: tuple[SortFinding, ...]
    reports: tuple[ProbeReport, ...]
