"""A verification for reading: each set before and after, the figures of papers, the gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from surgery.cli.gates import gate_lines
from surgery.cli.page import Line, Page, Table, plural

if TYPE_CHECKING:
    from surgery.report import Figure, SetFigures, VerifyReport
    from surgery.verify.plan import Plan

WORDS = {
    "erased": "gone",
    "synonym": "gone, other names",
    "paraphrase": "gone, other words",
    "misspelling": "gone, misspelled",
    "kept": "kept",
    "unrelated": "unrelated",
    "given": "from the file",
}
_SUMMARY = (
    ("UA", "ua"),
    ("IRA", "ira"),
    ("CRA", "cra"),
    ("harmonic mean", "harmonic"),
    ("MACE's H", "mace"),
)


def verify_page(report: VerifyReport) -> Page:
    """Everything that was found, the verdict last."""
    page: list[Line | Table] = [_sets(report.sets)]
    page += list(_summary(report))
    page += [Line(_judge(report), "quiet"), *gate_lines(report.gates)]
    page += [Line(f"note: {note}", "quiet") for note in report.notes]
    page += list(_attacks(report))
    page.append(Line(report.verdict, "good" if report.passed else "bad"))
    return page


def plan_page(made: Plan) -> Page:
    """What would be painted."""
    from surgery.verify.plan import kinds

    rows = tuple(
        (WORDS[group], f"{sets}", f"{count}", f"{2 * count}") for group, sets, count in kinds(made)
    )
    columns = ("what", "sets", "pictures of each model", "of both")
    title = f"To be painted, to see whether {', '.join(made.concepts) or 'nothing'} is gone"
    return [
        Table(title, columns, rows, right=frozenset({1, 2, 3})),
        Line(
            f"{plural(made.pictures, 'picture')}, {made.painting.steps} steps each, "
            f"guidance {made.guidance:g}; nothing was painted"
        ),
        *(Line(f"note: {note}", "quiet") for note in made.notes),
    ]


def _sets(sets: Sequence[SetFigures]) -> Table:
    learned = any("lpips" in one.more for one in sets)
    rows = tuple(
        (
            one.concept,
            WORDS[one.group],
            str(one.n),
            *_sides(one),
            _value(one.distance),
            *([_value(one.more.get("lpips"))] if learned else []),
            one.became or "-",
        )
        for one in sets
    )
    first = ("concept", "should be", "n", "before", "after", "95 %", "distance")
    columns = (*first, *(["LPIPS"] if learned else []), "now mostly")
    right = frozenset(range(2, len(columns) - 1))
    return Table("Shown in pictures of", columns, rows, right=right)


def _value(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:.3f}"


def _sides(one: SetFigures) -> tuple[str, str, str]:
    """Shares where the judge says yes or no, else its scores."""
    if one.shown_before and one.shown_after:
        after = one.shown_after
        ends = f"{after.low:.0%} to {after.high:.0%}"
        return f"{one.shown_before.value:.0%}", f"{after.value:.0%}", ends
    if one.score_before and one.score_after:
        after = one.score_after
        ends = f"{after.low:.3g} to {after.high:.3g}"
        return f"{one.score_before.value:.3g}", f"{after.value:.3g}", ends
    return "-", "-", "-"


def _summary(report: VerifyReport) -> Iterator[Line]:
    found = [(name, getattr(report.summary, field)) for name, field in _SUMMARY]
    known = [f"{name} {_percent(figure)}" for name, figure in found if figure is not None]
    if known:
        yield Line("as in papers: " + ", ".join(known))
    if report.fid:
        fids = [f"{WORDS[group]} {one.value:.4g}" for group, one in report.fid.items()]
        yield Line("FID between both models' pictures: " + ", ".join(fids))


def _percent(figure: Figure) -> str:
    return f"{figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%})"


def _judge(report: VerifyReport) -> str:
    said = [f"{one.kind} by {one.name} ({one.model} {one.revision})" for one in report.judges]
    return "; ".join(said)


def _attacks(report: VerifyReport) -> Iterator[Line]:
    for one in report.attacks:
        said = f"{one.name} on {one.concept}: {_percent(one.before)} before, {_percent(one.after)}"
        yield Line(f"{said} under attack; {one.tried}")
    if report.attacks:
        yield Line("what was not tried may still bring it back", "quiet")
