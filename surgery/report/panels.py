"""Scores laid out for the eye: by kind, in order of depth, and in words. Nothing here is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from surgery.report.probes import ProbeReport, Score

SELECTOR = re.compile(r"(?P<kind>[\w.{},*]+)\[(?P<first>\d{1,6})(?::(?P<end>\d{1,6}))?\]")
NETWORKS = {"text": "text encoder", "text2": "second text encoder", "text3": "third text encoder"}
PARTS = {
    "cross_attn": "cross-attention",
    "self_attn": "self-attention",
    "ff": "feed-forward",
    "resnet": "resnet",
    "mlp": "MLP",
    "layer": "whole layers",
    "embedding": "embedding",
}
TOKENS = {
    "begin": "begin token",
    "before": "words before",
    "first": "first subject token",
    "middle": "middle of the subject",
    "last": "last subject token",
    "after": "words after",
    "end": "end token",
    "pads": "padding",
}
MATRIX = re.compile(r"\{[^}]*\}|q|k|v|out|in|weight|bias")


@dataclass(frozen=True, slots=True)
class Place:
    """Layers `first` to `end - 1` of one kind, counted from 0 in execution order."""

    kind: str
    first: int
    end: int

    @property
    def layers(self) -> str:
        """`8`, or `8-9`."""
        return f"{self.first}" if self.end == self.first + 1 else f"{self.first}-{self.end - 1}"

    def meets(self, other: Place) -> bool:
        """Whether the two share a layer."""
        return self.kind == other.kind and self.first < other.end and other.first < self.end


@dataclass(frozen=True, slots=True)
class Panel:
    """The scores of one kind.

    Args:
        sites: in order of depth.
        columns: the tokens; ('',) where a place has none.
        cells: by site and column; one may be missing.
    """

    kind: str
    sites: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], Score]

    @property
    def title(self) -> str:
        """The kind in words."""
        return title(self.kind)


def place(site: str) -> Place | None:
    """Reads a selector of one kind and one run of layers; None for any other."""
    found = SELECTOR.fullmatch(site)
    if found is None:
        return None
    first = int(found["first"])
    end = int(found["end"]) if found["end"] else first + 1
    return Place(_part(found["kind"]), first, end) if end > first else None


def panels(scores: Iterable[Score]) -> tuple[Panel, ...]:
    """One panel for each kind, in the order in which they were scored."""
    kinds: dict[str, list[Score]] = {}
    for score in scores:
        spot = place(score.site)
        kinds.setdefault(spot.kind if spot else "", []).append(score)
    return tuple(_panel(kind, group) for kind, group in kinds.items())


def depth(scores: Iterable[Score]) -> int:
    """How many layers there are of the kind that reaches deepest, as far as they were tried."""
    return max((spot.end for score in scores if (spot := place(score.site))), default=0)


def profile(panel: Panel) -> tuple[Score, ...]:
    """For each site the score of its strongest column."""
    columns = [
        [panel.cells.get((site, column)) for column in panel.columns] for site in panel.sites
    ]
    return tuple(
        max((one for one in group if one), key=lambda score: score.effect) for group in columns
    )


def row(report: ProbeReport) -> tuple[tuple[Score, int, int], ...]:
    """The report on one line: the kind that reaches farthest, each score with its columns.

    A window stands at its first layer and reaches to where the next one stands.
    """
    if not report.scores:
        return ()
    panel = max(panels(report.scores), key=lambda one: max(score.effect for score in profile(one)))
    scores = profile(panel)
    firsts = [spot.first if (spot := place(one.site)) else at for at, one in enumerate(scores)]
    steps = [later - first for first, later in pairwise(firsts)] or [1]
    ends = [first + max(1, step) for first, step in zip(firsts, [*steps, steps[0]], strict=True)]
    return tuple(zip(scores, firsts, ends, strict=True))


def marked(report: ProbeReport) -> Score | None:
    """The score behind `found`; the strongest where it was tried at several tokens."""
    spot = place(report.found)
    at = [one for one in report.scores if report.found and report.found in (one.site, one.name)]
    at = at or [score for score in report.scores if spot and place(score.site) == spot]
    return max(at, key=lambda score: score.effect, default=None)


def elsewhere(report: ProbeReport, found: Score) -> tuple[Score, ...]:
    """The scores of its kind that share no layer with the found one at the same tokens."""
    home = place(found.site)
    return tuple(
        score
        for score in report.scores
        if home and (spot := place(score.site)) and spot.kind == home.kind
        if score.column != found.column or not spot.meets(home)
    )


def title(kind: str) -> str:
    """A kind in words: `text.self_attn` is the text encoder's self-attention."""
    network, _, part = kind.rpartition(".")
    words = PARTS.get(part, part)
    return f"{NETWORKS.get(network, network)} {words}".strip() or "places"


def tokens(column: str) -> str:
    """Which tokens, in words."""
    return TOKENS.get(column, column)


def in_words(score: Score) -> str:
    """A place in words: `cross-attention layers 2 to 4`, with its tokens."""
    at = f" at the {tokens(score.column)}" if score.column else ""
    return in_words_of(score.site) + at


def in_words_of(site: str) -> str:
    """A selector in words; one that is no run of layers stays as it is."""
    spot = place(site)
    if spot is None:
        return site
    words = title(spot.kind).removesuffix(" whole layers")
    many = spot.end > spot.first + 1
    return (
        f"{words} layers {spot.first} to {spot.end - 1}" if many else f"{words} layer {spot.first}"
    )


def _panel(kind: str, scores: Sequence[Score]) -> Panel:
    spots = {score.site: place(score.site) for score in scores}
    sites = sorted(spots, key=lambda site: (spot.first, spot.end) if (spot := spots[site]) else ())
    columns = dict.fromkeys(score.column for score in scores)
    cells = {(score.site, score.column): score for score in scores}
    return Panel(kind, tuple(sites), tuple(columns), cells)


def _part(kind: str) -> str:
    """`text.self_attn` of `text.self_attn.out`: the module, without the name of a matrix."""
    words = re.split(r"\.(?![^{]*\})", kind)
    while len(words) > 1 and MATRIX.fullmatch(words[-1]):
        words.pop()
    return ".".join(words)
