"""From marks to figures: shares, changes and means over pairs of pictures, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from surgery.numerics.paired import (
    Ends,
    Matrix,
    mean_interval,
    newcombe,
    paired_weights,
    ratio_interval,
)
from surgery.report.verify import Figure, Marks, Row, SetFigures
from surgery.verify.values import PromptSet

ROUNDING = 1e-9
_Told = TypeVar("_Told", bool, float)


def set_figures(asked: PromptSet, rows: Sequence[Row]) -> SetFigures:
    """The figures of a set from its rows."""
    scores = "score_before", "score_after"
    clips = "clip_before", "clip_after"
    more = {"content": _content(rows), "lpips": mean(rows, lambda marks: marks.lpips)}
    return SetFigures(
        group=asked.group,
        concept=asked.concept,
        sort=asked.sort,
        prompts=len({row.prompt for row in rows}),
        n=len(rows),
        shown_before=share(rows, lambda marks: marks.shown_before),
        shown_after=share(rows, lambda marks: marks.shown_after),
        shown_change=shown_change(rows),
        retained=retained(rows),
        score_before=mean(rows, lambda marks: marks.score_before),
        score_after=mean(rows, lambda marks: marks.score_after),
        score_change=change(rows, *scores),
        clip_before=mean(rows, lambda marks: marks.clip_before),
        clip_after=mean(rows, lambda marks: marks.clip_after),
        clip_change=change(rows, *clips),
        distance=mean(rows, lambda marks: marks.distance),
        became=_most([row.marks.seen_after for row in rows]),
        more={name: figure for name, figure in more.items() if figure is not None},
    )


def share(rows: Sequence[Row], told: Callable[[Marks], bool | None]) -> Figure | None:
    """The share of pictures of which something is true, of those that a judge could read."""
    some, values = _told(rows, told)
    if not some:
        return None
    found = Figure.share(sum(values) / len(values), len(values))
    return _wider(found, some, lambda: mean_interval(np.array(values, float), _weights(some)))


def shown_change(rows: Sequence[Row]) -> Figure | None:
    """How the share of pictures that show the concept changed, after less before."""
    some = [row for row in rows if None not in (row.marks.shown_before, row.marks.shown_after)]
    if not some:
        return None
    before = [bool(row.marks.shown_before) for row in some]
    after = [bool(row.marks.shown_after) for row in some]
    moved = np.array(after, float) - np.array(before, float)
    found = Figure(float(moved.mean()), *newcombe(before, after), len(some), "wilson")
    return _wider(found, some, lambda: mean_interval(moved, _weights(some)))


def retained(rows: Sequence[Row]) -> Figure | None:
    """Of the pictures that showed the concept before, the share that still does."""
    return _still(rows, lambda one: one.shown_before, lambda one: one.shown_after)


def _content(rows: Sequence[Row]) -> Figure | None:
    return _still(rows, lambda one: one.thing_before, lambda one: one.thing_after)


def _still(
    rows: Sequence[Row],
    before: Callable[[Marks], bool | None],
    after: Callable[[Marks], bool | None],
) -> Figure | None:
    some = [row for row in rows if None not in (before(row.marks), after(row.marks))]
    under = np.array([bool(before(row.marks)) for row in some], float)
    count = int(under.sum())
    if not count:
        return None
    over = under * np.array([bool(after(row.marks)) for row in some], float)
    found = Figure.share(float(over.sum()) / count, count)
    return _wider(found, some, lambda: ratio_interval(over, under, _weights(some)))


def mean(rows: Sequence[Row], told: Callable[[Marks], float | None]) -> Figure | None:
    """The mean of a score, of those that a judge gave."""
    some, values = _told(rows, told)
    return _mean(some, values)


def change(rows: Sequence[Row], before: str, after: str) -> Figure | None:
    """The mean change of a score over pairs, after less before."""

    def moved(marks: Marks) -> float | None:
        old, new = getattr(marks, before), getattr(marks, after)
        return None if old is None or new is None else new - old

    return mean(rows, moved)


def _mean(rows: Sequence[Row], values: Sequence[float]) -> Figure | None:
    if not values:
        return None
    found = float(np.mean(values))
    if len(values) == 1:
        return Figure(found, found, found, 1, "none")
    low, high = mean_interval(np.array(values, float), _weights(rows))
    return Figure(found, min(low, found), max(high, found), len(values))


def _told(
    rows: Sequence[Row], told: Callable[[Marks], _Told | None]
) -> tuple[list[Row], list[_Told]]:
    found = [(row, value) for row in rows if (value := told(row.marks)) is not None]
    return [row for row, _ in found], [value for _, value in found]


def _weights(rows: Sequence[Row]) -> Matrix:
    return paired_weights([row.prompt for row in rows], [row.seed for row in rows])


def _wider(found: Figure, rows: Sequence[Row], drawn: Callable[[], Ends]) -> Figure:
    """The figure; where pictures share a prompt, no surer than the bootstrap over prompts is."""
    if len({row.prompt for row in rows}) == len(rows):
        return found
    low, high = drawn()
    if low >= found.low - ROUNDING and high <= found.high + ROUNDING:
        return found
    ends = min(found.low, max(low, -1.0)), max(found.high, min(high, 1.0))
    return Figure(found.value, *ends, found.count, "bootstrap")


def _most(seen: Sequence[str]) -> str:
    found = Counter(one for one in seen if one)
    return found.most_common(1)[0][0] if found else ""
