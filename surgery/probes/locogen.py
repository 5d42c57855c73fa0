"""LocoGen: which window of cross-attention layers, given another prompt, loses the concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.layout import Layout
from surgery.probes.base import Arm, Substitute, Way
from surgery.report import Score

THRESHOLD = 0.9


@dataclass(frozen=True, slots=True)
class LocoGen:
    """Prompt substitution over windows of consecutive layers, in execution order.

    Every window is tried, the last one too (the published loop ends one short of it).

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
        count = depth(layout)
        return Arm("none", Substitute(0, 0)), Arm("all", Substitute(0, count))

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """The windows of one size; the next larger size where no window of the last sufficed."""
        count = depth(layout)
        size, stride = self._size(layout)
        if not scored:
            return windows(count, size or 1, stride)
        tried = width(scored[-1].site)
        if size or self._sufficient(scored) or 2 * (tried + 1) > count:
            return ()
        return windows(count, tried + 1, stride)

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The window with the largest effect, if it suffices; the windows of its size."""
        tried = width(scored[-1].site)
        last = tuple(score for score in scored if width(score.site) == tried)
        best = max(last, key=lambda score: score.effect)
        return (best.site if best.effect >= self.threshold else ""), last

    def _sufficient(self, scored: Sequence[Score]) -> bool:
        return bool(self.found(scored)[0])

    def _size(self, layout: Layout) -> tuple[int | None, int]:
        size, stride = layout.probing or (None, 1)
        return self.window or size, self.stride or stride


def depth(layout: Layout) -> int:
    """How many cross-attention layers there are."""
    return len(layout.select("cross_attn.k"))


def windows(count: int, size: int, stride: int) -> tuple[Arm, ...]:
    """Every window of `size` layers, `stride` apart, and always the last one."""
    last = count - size
    starts = sorted({*range(0, last + 1, stride), last})
    return tuple(Arm(selector(one, one + size), Substitute(one, one + size)) for one in starts)


def selector(first: int, stop: int) -> str:
    """The keys and values of layers `first` to `stop` - 1."""
    return f"cross_attn.{{k,v}}[{first}:{stop}]"


def bounds(site: str) -> tuple[int, int]:
    """The layers of a selector that `selector` made."""
    first, _, stop = site.partition("[")[2].rstrip("]").partition(":")
    return int(first), int(stop)


def width(site: str) -> int:
    first, stop = bounds(site)
    return stop - first
