"""`surgery reproduce`: an edit made again from its record, and held against what is there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from surgery.cli.options import (
    MODEL_ADDRESS,
    AllowPickleOption,
    FormatOption,
    TokenizerOption,
)

if TYPE_CHECKING:
    from surgery.cli.page import Line, Page, Style, Table
    from surgery.report.remade import RemadeTensor, ReproduceReport

SHOWN = 10


def command(
    out: Annotated[
        str,
        typer.Argument(metavar="OUT", help=f"An edited model with its record: {MODEL_ADDRESS}."),
    ],
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="MODEL", help="The model it was made of; default the record's."
        ),
    ] = None,
    accept: Annotated[
        Literal["identical", "rounding", "small"],
        typer.Option(
            "--accept", help="How far off a tensor may be; anything further exits with 3."
        ),
    ] = "identical",
    tokenizer: TokenizerOption = None,
    allow_pickle: AllowPickleOption = False,
    format: FormatOption = "human",
) -> None:
    """Make an edit again from the record beside its output, and compare every tensor.

    Nothing is written. Exits with 3 where a tensor differs, and says how serious that is: one
    step of the stored type is rounding, as another processor or library may round; small is less
    than 1 % of what the edit changed.

    \b
    Examples:
      surgery reproduce out/remove_vangogh
      surgery reproduce out/remove_vangogh --base atelier --accept rounding
    """
    from surgery.cli.process import prepare_to_solve

    prepare_to_solve()
    from surgery.cli.console import Output
    from surgery.cli.download import bring
    from surgery.errors import GateError
    from surgery.reproduce import How, reproduce
    from surgery.store.checkpoint import open_checkpoint

    console = Output(format)
    model = open_checkpoint(out)
    with console.progress("comparing", sum(ref.nbytes for ref in model.values())) as advance:
        how = How(base, tokenizer, allow_pickle, partial(bring, console), advance)
        report = reproduce(model, how)
    off = [each.name for each in report.tensors if each.level != "identical"]
    document = {**report.to_dict(), "level": report.level}
    console.result(document, [*off, *report.astray], reproduce_page(report))
    if not report.within(accept):
        raise GateError(f"{report.out} is not what its record gives: {report.level}")


def reproduce_page(report: ReproduceReport) -> Page:
    """Each remade tensor that is not identical, what else differs, and the verdict."""
    from surgery.cli.page import Line, plural

    off = sorted((each for each in report.tensors if each.level != "identical"), key=_worst_first)
    page: list[Line | Table] = [_table(off[:SHOWN])] if off else []
    same = len(report.tensors) - len(off)
    found = (
        f"{same} of {plural(len(report.tensors), 'edited tensor')} bit-identical when made again"
    )
    page.append(Line(found, _style(not off)))
    kept = f"{report.identical:,} others bit-identical to {report.base}"
    page.append(Line(kept, _style(not report.astray)))
    for name in report.astray[:SHOWN]:
        page.append(Line(f"not the base's, and not of the edit: {name}", "bad"))
    for each in report.tensors:
        if not each.as_recorded:
            page.append(Line(f"changed after its record was written: {each.name}", "warn"))
    for change in report.versions:
        then, now = change.then or "unnamed", change.now or "unnamed"
        page.append(Line(f"{change.name} was {then} and is {now}", "quiet"))
    verdict = "equal" if report.level == "identical" else f"differs: {report.level}"
    page.append(Line(f"{report.recipe} on {report.base}: {verdict}", "title"))
    return page


def _style(good: bool) -> Style:
    return "good" if good else "bad"


def _worst_first(tensor: RemadeTensor) -> float:
    return -tensor.of_change


def _table(tensors: list[RemadeTensor]) -> Table:
    from surgery.cli.page import Table, number

    rows = tuple(
        (
            each.name,
            each.level,
            f"{each.steps:,} of {each.dtype}",
            number(each.relative),
            number(each.of_change),
        )
        for each in tensors
    )
    columns = ("tensor", "difference", "most steps", "beside weights", "beside the change")
    return Table("Made again, and not the same bytes", columns, rows, frozenset({2, 3, 4}))
