"""Weights: a hint at where a concept is kept, without a run of the denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.layout import Layout
from surgery.probes.base import Arm, Way
from surgery.probes.locogen import LocoGen
from surgery.probes.windows import depth
from surgery.report import Score


@dataclass(frozen=True, slots=True)
class Weights(LocoGen):
    """How strongly each window's value matrices answer when the concept leaves the text.

    The share of a window is the sum over its layers, see `surgery.numerics.gains`. Where a window's
    size is open it is a quarter of the layers, rounded up: a share grows with the size and says
    nothing about it.
    """

    name: ClassVar[str] = "weights"
    about: ClassVar[str] = "a hint from value matrices and text states alone, the denoiser not run"
    source: ClassVar[str] = "no paper; how well it does is below"
    way: ClassVar[Way] = "weigh"

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """All windows of one size."""
        size, stride = self.size(layout)
        count = depth(layout)
        return () if scored else self.windows(count, size or -(-count // 4), stride)

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The window with the largest share."""
        return max(scored, key=lambda score: score.effect).site, tuple(scored)
