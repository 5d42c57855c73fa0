"""The model's own denoiser as the judge: how far a run has moved from the source to the target.

Needs no other model. The latents of deterministic sampling are the noise and the sum of all noise
predictions, so a change of them is the accumulated change of what the denoiser predicted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from surgery.errors import UsageError
from surgery.judges.base import Mark, Seen, Sees, marked
from surgery.report.probes import Best
from surgery.store.text import quoted

if TYPE_CHECKING:
    from surgery.questions import Pair, Question, Sort


@dataclass(frozen=True, slots=True)
class NoiseJudge:
    """Scores the part of the way that is left: 1 where nothing changed, 0 where all of it did."""

    name: ClassVar[str] = "noise"
    sees: ClassVar[Sees] = "latents"
    anchored: ClassVar[bool] = True

    def best(self, sort: Sort) -> Best:
        """The least: there the change is nearest to that of all layers together."""
        return "least"

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        """1 - <source - latents, source - target> / |source - target|², row by row.

        Raises:
            UsageError: there are no anchors, or both are the same.
        """
        if seen.source is None or seen.target is None:
            raise UsageError("the judge 'noise' needs the runs of both prompts beside each run")
        moved = _flat(seen.source) - _flat(seen.latents)
        way = _flat(seen.source) - _flat(seen.target)
        length = (way * way).sum(1)
        for pair, one in zip(seen.pairs, length.tolist(), strict=True):
            if one == 0:
                raise _same(pair)
        scores: list[float] = (1 - (moved * way).sum(1) / length).tolist()
        return marked(self.name, scores)


def _flat(latents: Tensor) -> Tensor:
    """(n, d) in float64: sums over a picture, of which small differences are taken."""
    return latents.detach().cpu().double().flatten(1)


def _same(pair: Pair) -> UsageError:
    return UsageError(
        f"the model makes the same picture of {quoted(pair.source)} and of {quoted(pair.target)}",
        hint="another --target, a --guidance of 1 or more, or in tracing more --noise, may differ",
    )
