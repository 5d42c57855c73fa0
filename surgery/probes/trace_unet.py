"""Causal tracing in the denoiser: which layer's clean output brings a corrupted concept back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.layout import Layout
from surgery.probes.base import Arm, Clean, Restore, Way, strongest
from surgery.report import Score

COUNTED = {
    "self_attn": "self_attn.q",
    "cross_attn": "cross_attn.k",
    "ff": "ff.out",
    "resnet": "resnet.out",
}
"""Kinds of layers, and the kind of site that is there once for each.

DeepFloyd IF attends to picture and text in one layer with one query: it counts as cross-attention.
"""


@dataclass(frozen=True, slots=True)
class TraceUnet:
    """Clean, corrupted and restored runs, the outputs of one layer restored at every step.

    Args:
        kinds: which of self_attn, cross_attn, ff and resnet.

    Source: Basu et al. 2023, arXiv 2310.13730, section 3; the effect is the difference to the
    corrupted run, where the paper takes the restored run's score alone.
    """

    name: ClassVar[str] = "trace_unet"
    about: ClassVar[str] = "causal tracing of the denoiser: one layer's clean output restored"
    source: ClassVar[str] = "Basu et al. 2023, arXiv 2310.13730, section 3"
    way: ClassVar[Way] = "restore"

    kinds: tuple[str, ...] = tuple(COUNTED)

    def anchors(self, layout: Layout) -> tuple[Arm, Arm]:
        """The corrupted run, and the clean one."""
        return Arm("corrupted", Restore("", 0)), Arm("clean", Clean())

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """Every layer of every kind, once."""
        if scored:
            return ()
        counts = layout.counts
        return tuple(
            Arm(f"{kind}[{index}]", Restore(kind, index))
            for kind in self.kinds
            for index in range(counts.get(COUNTED[kind], 0))
        )

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The earliest layer of its kind that brings back as much as any, if more than chance."""
        close = strongest(scored)
        if not close:
            return "", tuple(scored)
        kind = _kind(max(close, key=lambda score: score.effect))
        return next(score.site for score in close if _kind(score) == kind), tuple(scored)


def _kind(score: Score) -> str:
    return score.site.partition("[")[0]
