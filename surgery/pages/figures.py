"""What the judges read from each set of prompts: on a line with its interval, and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from surgery.pages import blocks
from surgery.pages.dots import Axis, Dot, Line, chart, key
from surgery.pages.html import Child, Html, el
from surgery.report import Gate, VerifyReport
from surgery.report.findings import percent
from surgery.report.sets import (
    ASKED,
    gate_of,
    is_erased,
    measured,
    number,
    pictures_of,
    plain,
    share,
)
from surgery.report.verify import ERASED, Figure, SetFigures

AT_ONCE = 40
"""Rows of a chart that are shown before the rest is asked for."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that sets have before and after.

    Args:
        is_share: it goes from 0 to 1 and reads as a percentage.
    """

    what: str
    before: Callable[[SetFigures], Figure | None]
    after: Callable[[SetFigures], Figure | None]
    is_share: bool = False


MEASURES = (
    Measure("pictures that show it", lambda s: s.shown_before, lambda s: s.shown_after, True),
    Measure("judge's score", lambda s: s.score_before, lambda s: s.score_after),
    Measure("CLIP score with the prompt", lambda s: s.clip_before, lambda s: s.clip_after),
)
"""The first that a set has is drawn; all are in the table."""

FIGURES: tuple[tuple[str, Callable[[SetFigures], Figure | None], bool], ...] = (
    ("shown before", lambda s: s.shown_before, True),
    ("shown after", lambda s: s.shown_after, True),
    ("shown change", lambda s: s.shown_change, True),
    ("still shown", lambda s: s.retained, True),
    ("score before", lambda s: s.score_before, False),
    ("score after", lambda s: s.score_after, False),
    ("score change", lambda s: s.score_change, False),
    ("CLIP before", lambda s: s.clip_before, False),
    ("CLIP after", lambda s: s.clip_after, False),
    ("CLIP change", lambda s: s.clip_change, False),
    ("distance", lambda s: s.distance, False),
)


def gone(report: VerifyReport) -> Html | None:
    """The section on what should be gone."""
    about = "However it is asked for, it should no longer show. Filled dots should be far left of "
    about += "the hollow ones."
    return _section("Is it gone?", about, report.of(*ERASED), report.gates)


def intact(report: VerifyReport) -> Html | None:
    """The section on what should stay."""
    about = "These prompts ask for something else. Filled dots should lie on the hollow ones."
    return _section("Is the rest intact?", about, report.of("kept", "unrelated"), report.gates)


def given(report: VerifyReport) -> Html | None:
    """The section on prompts of a list."""
    about = "What the list asks for, before and after."
    return _section("Prompts from a list", about, report.of("given"), report.gates)


def _section(
    title: str, about: str, sets: Sequence[SetFigures], gates: Sequence[Gate]
) -> Html | None:
    if not sets:
        return None
    looks = key(("then", False, "before"), ("now", True, "after, with its 95 % interval"))
    charts = [_chart(measure, some, gates) for measure, some in _by_measure(sets)]
    table = blocks.more("All figures as a table", _table(title, sets))
    return blocks.section(title, about, looks if charts else None, charts, table)


def _by_measure(sets: Sequence[SetFigures]) -> Iterable[tuple[Measure, list[SetFigures]]]:
    for measure in MEASURES:
        some = [one for one in sets if _drawn(one) is measure]
        if some:
            yield measure, some


def _drawn(one: SetFigures) -> Measure | None:
    return next((m for m in MEASURES if m.before(one) and m.after(one)), None)


def _chart(measure: Measure, sets: Sequence[SetFigures], gates: Sequence[Gate]) -> Html:
    axis = _axis(measure, sets)
    lines = [line for one in sets if (line := _line(measure, one, gate_of(one, gates)))]
    rest = lines[AT_ONCE:]
    more = blocks.more(f"{len(rest)} more", chart(axis, rest)) if rest else None
    return el("div", chart(axis, lines[:AT_ONCE]), more, cls="card")


def _axis(measure: Measure, sets: Sequence[SetFigures]) -> Axis:
    if measure.is_share:
        return Axis(measure.what, 0, 1, ("0 %", "100 %"))
    figures = [one for s in sets for one in (measure.before(s), measure.after(s)) if one]
    low, high = min(one.low for one in figures), max(one.high for one in figures)
    return Axis(measure.what, low, high, (number(low), number(high)))


def _line(measure: Measure, one: SetFigures, gate: Gate | None) -> Line | None:
    before, after = measure.before(one), measure.after(one)
    if before is None or after is None:
        return None
    dots = (
        Dot(before.value, before.low, before.high, "then"),
        Dot(after.value, after.low, after.high),
    )
    words = (share if measure.is_share else plain)(after)
    first = (percent if measure.is_share else number)(before.value)
    value, _, rest = words.partition(" (")
    figures: list[Child] = [first, " → ", el("b", value), f" ({rest}" if rest else ""]
    look = "" if gate is None else "good" if gate.passed else "bad"
    told = f"{first} → {words}, {pictures_of(one)}"
    return Line(one.concept, _note(one), dots, figures, told, look)


def _note(one: SetFigures) -> str:
    how = ASKED[one.group] if is_erased(one.group) else one.sort
    return " · ".join(filter(None, (how, pictures_of(one))))


def _table(caption: str, sets: Sequence[SetFigures]) -> Html:
    there = [(name, of, is_share) for name, of, is_share in FIGURES if any(map(of, sets))]
    extra = list(dict.fromkeys(name for one in sets for name in one.more))
    columns = ["concept", "asked for", "pictures", *(name for name, _, _ in there), *extra]
    rows = [
        [
            one.concept,
            ASKED[one.group],
            f"{one.n:,}",
            *((share if is_share else plain)(of(one)) for _, of, is_share in there),
            *(measured(name, one.more.get(name)) for name in extra),
        ]
        for one in sets
    ]
    return blocks.table(caption, columns, rows, words=2)
