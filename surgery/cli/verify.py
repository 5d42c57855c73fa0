"""`surgery verify`: pictures of two models, read by a judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import FormatOption

if TYPE_CHECKING:
    from surgery.cli.page import Line, Page, Table
    from surgery.report import ExamReport, JudgedSet, Share


def command(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="The model before the edit.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="The model after the edit.")],
    concept: Annotated[
        list[str],
        typer.Option("--concept", metavar="CONCEPT", help="What should be gone; repeatable."),
    ],
    pictures: Annotated[
        int | None,
        typer.Option("--pictures", min=1, help="At most so many of each concept; default all."),
    ] = None,
    format: FormatOption = "human",
) -> None:
    """Make the same pictures with two models and let a judge say what is gone.

    The judge reads pictures of atelier and of what was made from it. Exits with 3 if a concept
    is still there, or one that should stay is not.

    \b
    Examples:
      surgery verify atelier out/remove_vangogh --concept "van gogh" --pictures 1
    """
    from surgery.cli.console import Output
    from surgery.cli.gates import check_gates
    from surgery.cli.hush import hush
    from surgery.verify import picture_count, verify

    out = Output(format)
    hush()
    with out.progress("painting", picture_count(concept, pictures), "pictures") as advance:
        report = verify(before, after, concept, pictures=pictures, on_pictures=advance)
    missed = [gate.name for gate in report.gates if not gate.passed]
    out.result(report.to_dict(), missed, verify_page(report))
    check_gates(report.gates)


def verify_page(report: ExamReport) -> Page:
    """A verification for reading: each concept before and after, then the missed gates."""
    from surgery.cli.gates import gate_lines
    from surgery.cli.page import Line

    missed = [gate for gate in report.gates if not gate.passed]
    page: list[Line | Table] = [_sets(report.sets), *gate_lines(missed)]
    page.append(Line(f"{len(report.gates) - len(missed)} of {len(report.gates)} gates passed"))
    if report.passed:
        page.append(Line("what should be gone is gone, and the rest is still there", "good"))
    return page


def _sets(sets: tuple[JudgedSet, ...]) -> Table:
    from surgery.cli.page import Table

    columns = ("concept", "should be", "n", "before", "after", "95 %", "now mostly", "things right")
    rows = tuple(
        (
            row.concept,
            "gone" if row.erased else "kept",
            str(row.concept_after.count),
            f"{row.concept_before.value:.0%}",
            f"{row.concept_after.value:.0%}",
            _interval(row.concept_after),
            row.became,
            f"{row.thing_before.value:.0%} then {row.thing_after.value:.0%}",
        )
        for row in sets
    )
    return Table("Shown in pictures of", columns, rows, right=frozenset({2, 3, 4, 5}))


def _interval(share: Share) -> str:
    return f"{share.low:.0%} to {share.high:.0%}"
