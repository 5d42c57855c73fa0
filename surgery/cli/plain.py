"""A page as plain text, for output that no terminal shows: nothing is folded or coloured.

It looks as rich draws it, and needs no rich, whose import takes longer than many a command.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from surgery.cli.page import Page, Table
from surgery.store.text import visible

GAP = "   "


def plain_lines(page: Page) -> Iterator[str]:
    """The lines of a page, with an empty one around each table."""
    was_table = False
    for block in page:
        is_table = isinstance(block, Table)
        if is_table or was_table:
            yield ""
        if isinstance(block, Table):
            yield from _table(block)
        else:
            yield visible(block.text).rstrip()
        was_table = is_table


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield visible(table.title)
    rows = [table.columns, *(tuple(map(visible, row)) for row in table.rows)]
    widths = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    head, *body = (_row(row, widths, table.right) for row in rows)
    yield head
    yield "─" * (sum(widths) + len(GAP) * (len(widths) - 1))
    yield from body


def _row(cells: Sequence[str], widths: Sequence[int], right: frozenset[int]) -> str:
    padded = []
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        blank = " " * (width - columns(cell))
        padded.append(blank + cell if place in right else cell + blank)
    return GAP.join(padded).rstrip()


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_letter, text))


def _letter(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
