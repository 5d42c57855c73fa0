"""What is expected of pictures, and whether it holds: decided on the bad end of an interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from surgery.report import Gate
from surgery.report.verify import Attack, Figure, Group, Row, SetFigures
from surgery.verify.tally import change, mean, retained

DEFAULTS: Mapping[str, float] = {
    "erased": 0.1,
    "synonyms": 0.2,
    "paraphrases": 0.2,
    "misspellings": 0.2,
    "given": 0.1,
    "content": 0.9,
    "kept": 0.9,
    "kept_each": 0.5,
    "unrelated": 0.85,
}
"""Limits where neither the recipe nor the command says another one."""
ASKS: Mapping[str, Group] = {
    "erased": "erased",
    "synonyms": "synonym",
    "paraphrases": "paraphrase",
    "misspellings": "misspelling",
    "given": "given",
}
LEAST = ("content", "kept", "kept_each", "unrelated")
"""Gates whose limit is the least; of all others it is the most."""
_MEANS = ("distance", "clip_drop")
"""Gates on what is no share of pictures."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What gates are decided on."""

    sets: Sequence[SetFigures]
    rows: Sequence[Row]
    attacks: Sequence[Attack] = ()

    def of(self, *groups: Group) -> list[Row]:
        """The rows of some groups."""
        return [row for row in self.rows if row.group in groups]


Found = Iterator[tuple[str, Figure | None]]
"""What one limit is held against: the names of gates, and their figures."""


def gates(limits: Mapping[str, float], evidence: Evidence) -> tuple[Gate, ...]:
    """One gate for every limit and figure; a figure that no judge gives has none."""
    return tuple(
        _gate(title, limits[name], figure, least=name in LEAST, percent=name not in _MEANS)
        for name, finds in _FINDS.items()
        if name in limits
        for title, figure in finds(evidence)
        if figure is not None
    )


def _asked(name: str, group: Group) -> Callable[[Evidence], Found]:
    """Every concept of a group has a gate of its own."""

    def found(evidence: Evidence) -> Found:
        return (
            (f"{name}: {one.concept}", one.shown_after)
            for one in evidence.sets
            if one.group == group
        )

    return found


def _content(evidence: Evidence) -> Found:
    gone = (one for one in evidence.sets if one.group == "erased")
    return ((f"content: {one.concept}", one.more.get("content")) for one in gone)


def _held(name: str, group: Group) -> Callable[[Evidence], Found]:
    """All pictures of a group together."""
    return lambda evidence: iter([(name, retained(evidence.of(group)))])


def _weakest(evidence: Evidence) -> Found:
    kept = [
        (one.retained.low, one.concept, one.retained)
        for one in evidence.sets
        if one.group == "kept" and one.retained is not None
    ]
    worst = sorted(kept, key=lambda one: one[:2])[:1]
    return ((f"kept_each: {concept}", figure) for _, concept, figure in worst)


def _distance(evidence: Evidence) -> Found:
    staying = evidence.of("kept", "unrelated")
    return iter([("distance", mean(staying, lambda marks: marks.distance))])


def _clip_drop(evidence: Evidence) -> Found:
    staying = evidence.of("kept", "unrelated")
    return iter([("clip_drop", change(staying, "clip_after", "clip_before"))])


def _attacks(evidence: Evidence) -> Found:
    return ((f"attacks: {one.name} on {one.concept}", one.after) for one in evidence.attacks)


_FINDS: Mapping[str, Callable[[Evidence], Found]] = {
    **{name: _asked(name, group) for name, group in ASKS.items()},
    "content": _content,
    "kept": _held("kept", "kept"),
    "kept_each": _weakest,
    "unrelated": _held("unrelated", "unrelated"),
    "distance": _distance,
    "clip_drop": _clip_drop,
    "attacks": _attacks,
}
NAMES = tuple(_FINDS)
"""All gates that pictures decide."""


def _gate(title: str, limit: float, figure: Figure, *, least: bool, percent: bool) -> Gate:
    note = _too_few(limit, figure, least) if percent else ""
    low, high = (figure.value,) * 2 if note else (figure.low, figure.high)
    short = limit - low if least else high - limit
    word = "at least" if least else "at most"
    return Gate(
        name=title,
        limit=f"{word} {_shown(limit, percent)}",
        found=_found(figure, percent),
        passed=short <= 0,
        missed_by=max(0.0, short),
        note=note,
    )


def _too_few(limit: float, figure: Figure, least: bool) -> str:
    """Where even a perfect result has an interval beyond the limit, the share itself decides."""
    perfect = 1.0 if least else 0.0

    def surely(count: int) -> bool:
        found = Figure.share(perfect, count)
        return found.low >= limit if least else found.high <= limit

    if surely(figure.count) or not 0 < limit < 1:
        return ""
    enough = next(count for count in range(1, 100_000) if surely(count))
    return f"{figure.count} pictures are too few to be sure, {enough} are enough: the share decides"


def _found(figure: Figure, percent: bool) -> str:
    ends = f"{_shown(figure.low, percent)} to {_shown(figure.high, percent)} of {figure.count}"
    return f"{_shown(figure.value, percent)} ({ends})"


def _shown(value: float, percent: bool) -> str:
    return f"{value:.1%}" if percent else f"{value:.3g}"
