"""`surgery diff`: what differs between two checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import MODEL_ADDRESS, AllowPickleOption, FormatOption

if TYPE_CHECKING:
    from surgery.cli.page import Page, Table
    from surgery.report import BlockChange, DiffReport, TensorChange

SHOWN = 40
DIFFERENT = 3


def command(
    before: Annotated[str, typer.Argument(metavar="A", help=f"Before: {MODEL_ADDRESS}.")],
    after: Annotated[str, typer.Argument(metavar="B", help="After: likewise.")],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help=f"Exit with {DIFFERENT} if any tensor differs.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help=f"List every change, not only the first {SHOWN}.")
    ] = False,
    allow_pickle: AllowPickleOption = False,
    format: FormatOption = "human",
) -> int:
    """Say which tensors differ between two models, and by how much.

    Bytes are compared first; only what differs is decoded.

    \b
    Examples:
      surgery diff atelier out/remove_vangogh
      surgery diff atelier out/remove_vangogh --format quiet
    """
    from surgery.cli.console import Output
    from surgery.diff import diff
    from surgery.store.checkpoint import open_checkpoint

    out = Output(format)
    first = open_checkpoint(before, allow_pickle=allow_pickle)
    second = open_checkpoint(after, allow_pickle=allow_pickle)
    total = sum((first.get(name) or second[name]).nbytes for name in {**first, **second})
    with out.progress("comparing", total) as advance:
        report = diff(first, second, progress=advance)
    names = [change.name for change in report.changes]
    out.result(report.to_dict(), names, diff_page(report, None if every else SHOWN))
    return DIFFERENT if exit_code and not report.same else 0


def diff_page(report: DiffReport, shown: int | None = SHOWN) -> Page:
    """A diff for reading: the verdict, the changed tensors, and how many stayed bit-identical.

    Args:
        shown: how many changes to list at most; None lists all.
    """
    from surgery.cli.page import Line

    page: list[Line | Table] = [Line(report.verdict, "title")]
    if report.changes:
        page.append(_changes(report.changes[:shown]))
    if 1 < len(report.blocks) < len(report.changes):
        page.append(_blocks(report.blocks[:shown]))
    hidden = len(report.changes[shown:]) if shown is not None else 0
    if hidden:
        page.append(Line(f"{hidden:,} more; --all lists them", "quiet"))
    count = f"{report.identical:,} of {report.tensors:,} tensors bit-identical"
    page.append(Line(count, "good" if report.identical else "plain"))
    page.extend(Line(f"other file differs: {name}") for name in report.side_files)
    page.extend(Line(f"metadata differs: {name}", "quiet") for name in report.metadata)
    return page


def _changes(changes: tuple[TensorChange, ...]) -> Table:
    from surgery.cli.page import Table

    columns = ("tensor", "stored as", "entries", "largest", "relative", "rank", "bytes")
    rows = tuple(_row(change) for change in changes)
    title = "What differs: share of the entries, largest and relative change of the values"
    return Table(title, columns, rows, right=frozenset({2, 3, 4, 5, 6}))


def _blocks(blocks: tuple[BlockChange, ...]) -> Table:
    from surgery.cli.page import Table, number

    columns = ("block", "tensors", "largest", "relative")
    rows = tuple(
        (
            block.block,
            f"{block.tensors} of {block.of}",
            number(block.max_abs),
            number(block.relative_norm),
        )
        for block in blocks
    )
    return Table("By block", columns, rows, right=frozenset({1, 2, 3}))


def _row(change: TensorChange) -> tuple[str, ...]:
    from surgery.cli.page import number, percent
    from surgery.store.text import size

    part = None
    if change.changed_entries is not None and change.entries:
        part = change.changed_entries / change.entries
    rank = "-" if change.rank is None else str(change.rank)
    figures = number(change.max_abs), number(change.relative_norm), rank, size(change.nbytes)
    return (_name(change), _stored(change), percent(part), *figures)


def _stored(change: TensorChange) -> str:
    """Type and shape, and what became of them where more than the values differ."""
    if change.change in ("added", "removed"):
        return f"{change.change}: {change.before or change.after}"
    return change.before if change.before == change.after else f"{change.before} > {change.after}"


def _name(change: TensorChange) -> str:
    """The tensor and its sites; with their own figures where it is shared by several."""
    from surgery.cli.page import number

    parts = [one.site for one in change.sites]
    if change.sites and change.sites[0].relative_norm != change.relative_norm:
        parts = [f"{one.site} {number(one.relative_norm)}" for one in change.sites]
    return f"{change.name} ({', '.join(parts)})" if parts else change.name
