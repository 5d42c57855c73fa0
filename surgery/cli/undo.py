"""`surgery undo`: puts back what an edit in place replaced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surgery.cli.options import FormatOption

if TYPE_CHECKING:
    from surgery.cli.page import Page
    from surgery.store.restore import Undone


def command(
    undo_file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What --undo-file named when the model changed.")
    ],
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Where the model is, if it has moved."),
    ] = None,
    format: FormatOption = "human",
) -> None:
    """Put back, bit by bit, what `apply --in-place` replaced, also after it was cut short.

    Nothing is written unless every byte there is what the edit left or found.

    \b
    Examples:
      surgery undo vangogh.undo
    """
    from surgery.cli.console import Output
    from surgery.store.restore import undo

    done = undo(undo_file, model)
    document = {
        "kind": "undo",
        "version": 1,
        "files": [str(path) for path in done.files],
        "found": done.found,
        "bytes_restored": done.bytes_restored,
    }
    Output(format).result(document, [str(path) for path in done.files], _page(done, undo_file))


def _page(done: Undone, undo_file: Path) -> Page:
    from surgery.cli.page import Line
    from surgery.store.text import size

    files = ", ".join(str(path) for path in done.files)
    if done.found == "not edited":
        first = Line(f"{files} is already as it was before the edit", "good")
    else:
        first = Line(
            f"put back {size(done.bytes_restored)} in {files}, which was {done.found}", "good"
        )
    return [first, Line(f"{undo_file} is no longer needed", "quiet")]
