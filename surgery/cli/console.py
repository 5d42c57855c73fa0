"""The one file that prints: results to stdout, talk to stderr, colour on a terminal only.

Every text passes through `visible`, and reaches rich as plain text, never as markup.
rich is imported where it is used, so that errors, JSON and --help do not wait for it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import UnsupportedOperation
from typing import TYPE_CHECKING, Literal, TextIO

from surgery.cli.fold import folded
from surgery.cli.page import Line, Page, Table
from surgery.cli.plain import plain_lines
from surgery.errors import OutputError
from surgery.store.text import visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement
    from rich.text import Text

    from surgery.cli.options import Format

STYLES: Mapping[str, str] = {
    "plain": "",
    "title": "bold",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "quiet": "dim",
    "command": "cyan",
}
PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Output:
    """Where one command's words go, in the format that was asked for."""

    format: Format = "human"

    def __post_init__(self) -> None:
        logger = logging.getLogger("surgery")
        for handler in [item for item in logger.handlers if isinstance(item, _Warnings)]:
            logger.removeHandler(handler)
        logger.addHandler(_Warnings(self))

    def result(self, document: Mapping[str, object], names: Sequence[str], page: Page) -> None:
        """Show a result once: as JSON, as one name per line, or as a page for reading."""
        if self.format == "json":
            _write(sys.stdout, json.dumps(document, indent=2, allow_nan=False, default=str))
        elif self.format == "quiet":
            for name in names:
                _write(sys.stdout, visible(name))
        else:
            self.page(page)

    def page(self, page: Page) -> None:
        """Show lines and tables on stdout, in the human format only."""
        if self.format == "human":
            _render(sys.stdout, page)

    def raw(self, text: str) -> None:
        """Show a text of our own making as it is, line by line, in any format."""
        for line in text.splitlines():
            _write(sys.stdout, visible(line))

    def talk(self, page: Page) -> None:
        """Tell what is going on, on stderr; the quiet format leaves it out."""
        if self.format != "quiet":
            _render(sys.stderr, page)

    @contextmanager
    def progress(
        self, label: str, total: int, unit: Literal["bytes", "pictures", "steps"] = "bytes"
    ) -> Iterator[Callable[[int], None]]:
        """A bar on stderr; for bytes it appears once they take longer than half a second.

        Args:
            total: how many units to expect; the yielded function takes those that were just done.
        """
        if self.format != "human" or sys.stderr is None or not sys.stderr.isatty():
            yield lambda _: None
            return
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn() if unit == "bytes" else MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=_console(sys.stderr),
            transient=True,
        )
        task = bar.add_task(visible(label), total=total)
        began = time.monotonic()

        def advance(nbytes: int) -> None:
            bar.advance(task, nbytes)
            if time.monotonic() - began > PATIENCE:
                bar.start()

        if unit == "pictures":
            bar.start()
        try:
            yield advance
        finally:
            bar.stop()


class _Warnings(logging.Handler):
    """Shows what the library warns of, escaped like everything else."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        self._output.talk([Line(f"Warning: {record.getMessage()}", "warn")])


def complain(text: str) -> None:
    """One failure on stderr; a text of several lines stays so, each line escaped."""
    first, *rest = text.split("\n")
    _render(sys.stderr, [Line(f"Error: {first}", "bad"), *(Line(line) for line in rest)])


def show_help(text: str) -> None:
    """The help that a command without its words shows, on stderr."""
    for line in text.splitlines():
        _write(sys.stderr, line)


def flush() -> None:
    """Bring out what was shown and told."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with _guarded(stream):
                stream.flush()


def mute(stream: TextIO) -> None:
    """Point a stream at nothing, or Python complains again when it flushes at exit."""
    # A stream in memory has no descriptor, and nothing of it is left at exit.
    with suppress(UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def _guarded(stream: TextIO) -> Iterator[None]:
    """A result that cannot be shown is an error; talk beside the work must not end it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        mute(stream)
        if stream is not sys.stderr:
            reason = error.strerror or type(error).__name__
            problem = f"the result cannot be shown: {reason}"
            raise OutputError(problem, hint="send it elsewhere") from error


def _write(stream: TextIO | None, line: str) -> None:
    if stream is not None:
        with _guarded(stream):
            stream.write(line + "\n")


def _render(stream: TextIO | None, page: Page) -> None:
    if stream is None:
        return
    if stream.isatty():
        with _guarded(stream):
            _draw(stream, page)
    else:
        for line in plain_lines(page):
            _write(stream, line)


def _draw(stream: TextIO, page: Page) -> None:
    console = _console(stream)
    was_table = False
    for block in page:
        is_table = isinstance(block, Table)
        if is_table or was_table:
            console.print()
        if isinstance(block, Table) and block.title:
            console.print(_renderable(Line(block.title, "title")), soft_wrap=True)
        console.print(_renderable(block), soft_wrap=not is_table)
        was_table = is_table


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _renderable(block: Line | Table) -> RenderableType:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    if isinstance(block, Line):
        return Text(visible(block.text), style=STYLES[block.style])
    table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, column in enumerate(block.columns):
        side: Literal["left", "right"] = "right" if index in block.right else "left"
        table.add_column(Text(column), justify=side, overflow="fold")
    for row in block.rows:
        table.add_row(*(_Cell(visible(cell)) for cell in row))
    return table


@dataclass(frozen=True, slots=True)
class _Cell:
    """A text of a table, folded where a reader would fold it once its column's width is known."""

    text: str

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement
        from rich.text import Text

        return Measurement.get(console, options, Text(self.text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        yield Text(folded(self.text, options.max_width))
