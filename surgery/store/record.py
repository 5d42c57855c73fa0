"""Where the record of an edit lies: in a folder, or beside a single file. Reads text, never JSON.

What the record says is for `surgery.report`; here it is the one file that a copy never takes over.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

from surgery.errors import CheckpointError, OutputError
from surgery.store.files import read_all
from surgery.store.publish import exists
from surgery.store.sink import reported
from surgery.store.text import visible

NAME = "surgery.json"
MARK = '{\n  "kind": "record",'
"""What each record begins with, and no other program's file of that name."""
_LONGEST = 8_000_000


def beside(file: Path) -> Path:
    """Return where the record of a single file lies."""
    return file.with_name(f"{file.name}.{NAME}")


def read_text(path: Path | None) -> str | None:
    """Return a record's text; None where there is none.

    Raises:
        CheckpointError: what is there is something else, or cannot be read.
    """
    if path is None or not path.exists():
        return None
    text = read_all(path, _LONGEST).decode("utf-8", "replace")
    if not text.startswith(MARK):
        problem = "this has the name of a record of surgery and is none"
        raise CheckpointError(problem, where=visible(str(path)), hint="give it another name")
    return text


def check_beside(file: Path, *, force: bool) -> None:
    """Raise OutputError unless the record of the single file `file` may be written.

    Args:
        force: whether a record that is there, and nothing else, may be replaced.
    """
    place = beside(file)
    with reported(place):
        try:
            regular = stat.S_ISREG(place.lstat().st_mode)
        except FileNotFoundError:
            return
    if not force:
        raise exists(place)
    with suppress(CheckpointError):
        if regular and read_text(place) is not None:
            return
    raise OutputError(
        "what is there is no record of surgery",
        where=visible(str(place)),
        hint="remove it yourself if it may go",
    )
