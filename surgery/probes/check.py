"""Check: the windows that a glance found best, run as LocoGen runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.layout import Layout
from surgery.probes.base import Arm, Substitute, Way
from surgery.probes.locogen import THRESHOLD, LocoGen
from surgery.probes.windows import bounds, width
from surgery.report import Score


@dataclass(frozen=True, slots=True)
class Check:
    """Prompt substitution in a few windows, size by size until one suffices.

    Args:
        ranking: selectors of windows, smaller sizes first, of each size the best first.
        count: how many of each size are run.
        threshold: of the whole effect, from which on a window suffices.
    """

    name: ClassVar[str] = "check"
    about: ClassVar[str] = "the best windows of a glance, run as locogen runs them"
    source: ClassVar[str] = LocoGen.source
    way: ClassVar[Way] = "substitute"

    ranking: tuple[str, ...]
    count: int = 3
    threshold: float = THRESHOLD

    def anchors(self, layout: Layout) -> tuple[Arm, Arm]:
        """No layer, and every layer."""
        return LocoGen().anchors(layout)

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """The best few windows of the next size, until one suffices."""
        if scored and self.found(scored)[0]:
            return ()
        tried = {width(score.site) for score in scored}
        left = sorted({width(site) for site in self.ranking} - tried)
        best = [site for site in self.ranking if left and width(site) == left[0]][: self.count]
        return tuple(Arm(site, Substitute(*bounds(site))) for site in best)

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The window with the largest effect, if it suffices."""
        best = max(scored, key=lambda score: score.effect)
        return (best.site if best.effect >= self.threshold else ""), tuple(scored)
