"""LocoGen: which window of cross-attention layers, given another prompt, loses the concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.errors import UsageError
from surgery.layout import Layout
from surgery.probes.base import Arm, Substitute, Way
from surgery.probes.windows import depth, selector, starts, width
from surgery.report import Score

THRESHOLD = 0.9


@dataclass(frozen=True, slots=True)
class LocoGen:
    """Prompt substitution over windows of consecutive layers, in execution order.

    Args:
        window: layers in a window; None for what the layout gives, or, where it gives nothing, the
            smallest whose best window has an effect of `threshold`.
        stride: layers from one window to the next; None for what the layout gives, else 1.
        threshold: of the whole effect, from which on a window suffices.

    Source: Basu et al. 2024, arXiv 2405.01008, algorithm 1.
    """

    name: ClassVar[str] = "locogen"
    about: ClassVar[str] = "another prompt for a window of layers, every picture painted anew"
    source: ClassVar[str] = "Basu et al. 2024, arXiv 2405.01008, algorithm 1"
    way: ClassVar[Way] = "substitute"

    window: int | None = None
    stride: int | None = None
    threshold: float = THRESHOLD

    def anchors(self, layout: Layout) -> tuple[Arm, Arm]:
        """No layer, and every layer."""
        return Arm("none", Substitute(0, 0)), Arm("all", Substitute(0, depth(layout)))

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """The windows of one size; the next larger size where no window of the last sufficed.

        Raises:
            UsageError: a window of more layers than there are.
        """
        count = depth(layout)
        size, stride = self.size(layout)
        if not scored:
            return self.windows(count, size or 1, stride)
        tried = width(scored[-1].site)
        if size or self.found(scored)[0] or 2 * (tried + 1) > count:
            return ()
        return self.windows(count, tried + 1, stride)

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The window with the largest effect, if it suffices; the windows of its size."""
        tried = width(scored[-1].site)
        last = tuple(score for score in scored if width(score.site) == tried)
        best = max(last, key=lambda score: score.effect)
        return (best.site if best.effect >= self.threshold else ""), last

    def size(self, layout: Layout) -> tuple[int | None, int]:
        """How many layers a window has, None where that is open, and the stride."""
        size, stride = layout.probing or (None, 1)
        return self.window or size, self.stride or stride

    @staticmethod
    def windows(count: int, size: int, stride: int) -> tuple[Arm, ...]:
        """All windows of a size.

        Raises:
            UsageError: a window of more layers than there are.
        """
        if size > count:
            what = f"a window of {size} layers, and the model has {count}"
            raise UsageError(what, hint="choose a smaller --window")
        return tuple(
            Arm(selector(first, first + size), Substitute(first, first + size))
            for first in starts(count, size, stride)
        )
