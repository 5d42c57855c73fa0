"""Figures of an edit that masks components: what is left by score, and what is foretold to move.

No prompt is read for them. Both are foretold from scores, as leak and drift of other edits are from
text states; pictures tell whether it comes true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from surgery.edits.delta import Array, Mapped
from surgery.edits.scores import Scores
from surgery.figures import BY_SCORE, SolvedEdit, concepts_of
from surgery.layout import Site
from surgery.numerics.masked import foretold_drift, share_left
from surgery.report import Drift, Leak, SiteFigure, Spread

FORETOLD = "foretold from the sizes of inputs"


@dataclass(slots=True)
class MaskMeter:
    """Figures of one solved mask, gathered site by site; see `surgery.figures.Meter`."""

    solved: SolvedEdit
    shared: Mapped | None = None
    sites: list[Site] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    moved: list[float] = field(default_factory=list)

    def add(self, site: Site, before: Array, after: Array) -> None:
        """Measure one site: its weight as the edit found it, and as it is stored now."""
        scores = self.solved.context.scores
        assert scores is not None
        left, moved = masked(scores, site, before, after)
        self.sites.append(site)
        self.left.append(left)
        self.moved.append(moved)

    def leaks(self) -> Iterator[Leak]:
        """One row: the share of what speaks for the concepts that is left, over the sites."""
        if self.left:
            names, targets = concepts_of(self.solved.edit)
            yield Leak(self.solved.number, names, targets, BY_SCORE, Spread.of(self.left))

    def drifts(self) -> Iterator[Drift]:
        """One row, of prompts without the concept, over the sites."""
        if self.moved:
            yield Drift(self.solved.number, "neutral", 0, Spread.of(self.moved), (), FORETOLD)

    def by_site(self) -> Iterator[SiteFigure]:
        """One row for each masked site."""
        for site, left, moved in zip(self.sites, self.left, self.moved, strict=True):
            own, far = Spread.of([left]), Spread.of([moved])
            yield SiteFigure(self.solved.number, str(site), own, far)


def masked(scores: Scores, site: Site, before: Array, after: Array) -> tuple[float, float]:
    """What is left by score of one site, and how far its outputs are foretold to move."""
    name = str(site)
    left = share_left(scores.of(name), before, after)
    sizes = scores.norms.get(name, np.ones(before.shape[1], np.float32))
    return left, foretold_drift(before, after, sizes)
