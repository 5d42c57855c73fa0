"""Quick: LocoGen at a glance, from two steps of each run instead of a finished picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.layout import Layout
from surgery.probes.base import Arm, Way
from surgery.probes.locogen import LocoGen
from surgery.probes.windows import depth, width
from surgery.report import Score

ENOUGH = 0.8


@dataclass(frozen=True, slots=True)
class Quick(LocoGen):
    """What LocoGen would see, foretold from two steps of each run.

    Windows are those of LocoGen. Where the size is open, all sizes up to half the layers are tried
    at once, and the smallest counts whose best window suffices. That the runs are cut short is the
    approximation: what a window does after the first third of the sampling is not seen.

    Source: Basu et al. 2024, arXiv 2405.01008, algorithm 1, shortened; see `surgery.runs.glance`.
    """

    name: ClassVar[str] = "quick"
    about: ClassVar[str] = "locogen foretold from two steps of each run; the best windows checked"
    source: ClassVar[str] = "after Basu et al. 2024, arXiv 2405.01008, algorithm 1"
    way: ClassVar[Way] = "glance"

    threshold: float = ENOUGH

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """The windows of every size in question."""
        if scored:
            return ()
        size, stride = self.size(layout)
        sizes = [size] if size else range(1, max(2, depth(layout) // 2 + 1))
        return tuple(arm for one in sizes for arm in self.windows(depth(layout), one, stride))

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The best window of the smallest size that suffices, and the windows of its size."""
        sizes = sorted({width(score.site) for score in scored})
        for size in sizes:
            same = tuple(score for score in scored if width(score.site) == size)
            best = max(same, key=lambda score: score.effect)
            if best.effect >= self.threshold:
                return best.site, same
        return "", same
