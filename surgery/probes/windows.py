"""Windows of consecutive cross-attention layers, and the selectors that name them."""

from __future__ import annotations

from collections.abc import Sequence

from surgery.layout import Layout
from surgery.report import Score


def depth(layout: Layout) -> int:
    """How many cross-attention layers there are."""
    return len(layout.select("cross_attn.k"))


def starts(count: int, size: int, stride: int) -> tuple[int, ...]:
    """The first layers of all windows of `size` among `count`, the last window always among them.

    The published loop ends one window short of the last.
    """
    last = count - size
    return tuple(sorted({*range(0, last + 1, stride), last}))


def selector(first: int, stop: int) -> str:
    """The keys and values of layers `first` to `stop` - 1."""
    return f"cross_attn.{{k,v}}[{first}:{stop}]"


def is_window(site: str) -> bool:
    """Whether a place is a selector that `selector` made."""
    return site.startswith("cross_attn.{k,v}[")


def bounds(site: str) -> tuple[int, int]:
    """The layers of a selector that `selector` made."""
    first, _, stop = site.partition("[")[2].rstrip("]").partition(":")
    return int(first), int(stop)


def width(site: str) -> int:
    """How many layers a selector names."""
    first, stop = bounds(site)
    return stop - first


def overlap(one: str, other: str) -> bool:
    """Whether two windows share a layer."""
    (first, stop), (begin, end) = bounds(one), bounds(other)
    return first < end and begin < stop


def elsewhere(site: str, scores: Sequence[Score]) -> tuple[Score, ...]:
    """The windows that share no layer with one."""
    return tuple(score for score in scores if not overlap(site, score.site))
