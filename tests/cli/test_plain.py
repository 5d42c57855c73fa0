"""Output that no terminal shows looks as rich would draw it on a page without an edge."""

from __future__ import annotations

from io import StringIO

import pytest
from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from surgery.cli.page import Line, Table
from surgery.cli.plain import plain_lines

TABLES = [
    Table("A title", ("one", "two"), (("a", "1"), ("a longer cell", "22")), frozenset({1})),
    Table("", ("a long head", "b"), (("x", ""),), frozenset({0})),
    Table("No rows", ("one", "two"), ()),
    Table("Wide letters", ("name", "n"), (("水彩画", "1"), ("cafe\u0301 ü", "22")), frozenset({1})),
]


def drawn_by_rich(table: Table) -> list[str]:
    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, column in enumerate(table.columns):
        drawn.add_column(Text(column), justify="right" if place in table.right else "left")
    for row in table.rows:
        drawn.add_row(*map(Text, row))
    page = StringIO()
    Console(file=page, width=10_000).print(drawn)
    return [line.rstrip() for line in page.getvalue().splitlines()]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_a_table_looks_as_rich_draws_it(table: Table) -> None:
    title = [table.title] if table.title else []
    assert list(plain_lines([table])) == ["", *title, *drawn_by_rich(table)]


def test_a_table_has_an_empty_line_before_and_after() -> None:
    page = [Line("before"), TABLES[1], TABLES[1], Line("after")]
    lines = list(plain_lines(page))
    assert [place for place, line in enumerate(lines) if not line] == [1, 5, 9]


def test_nothing_is_folded_or_obeyed() -> None:
    (line,) = plain_lines([Line("x" * 300 + "\x1b[31m\n")])
    assert line == "x" * 300 + "\\u001b[31m\\u000a"
