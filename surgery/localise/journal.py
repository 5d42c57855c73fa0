"""Measurements that outlive the run which made them: one line of JSON for each, in a file.

A line's key is a digest of everything that the figure depends on, so that a changed setting is
another measurement and a stopped probe goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from surgery.errors import OutputError
from surgery.report import Setting
from surgery.store.text import visible

BEGIN = b'{"key"'
ELSEWHERE = "name another place by --journal"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a judge said of one run, and its picture where it is kept.

    Args:
        score: the judge's score.
        shown: whether the concept is seen, None where the judge does not say.
        png: a small picture as base64 text, '' where none is kept.
    """

    score: float
    shown: bool | None = None
    png: str = ""


@dataclass(slots=True)
class Journal:
    """Measurements by key; with a file, each is appended to it at once.

    Args:
        file: None keeps them in memory only.
        fresh: whether to pass over what the file has already.
        added: how many were added to it by this process.

    Raises:
        OutputError: the file cannot be read or written, or holds something else.
    """

    file: Path | None = None
    fresh: bool = False
    added: int = 0
    _found: dict[str, Measurement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is None:
            return
        if self.file.exists():
            read = dict(_read(self.file))
            self._found.update({} if self.fresh else read)
        _must_be_writable(self.file)

    def get(self, key: str) -> Measurement | None:
        return self._found.get(key)

    def add(self, measured: Mapping[str, Measurement]) -> None:
        """Keep measurements.

        Raises:
            OutputError: the file cannot be written.
        """
        self._found.update(measured)
        if self.file is None or not measured:
            return
        lines = [_line(key, one) for key, one in measured.items()]
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            # One write of whole lines: what a kill cuts off is the last line at most.
            with self.file.open("ab") as file:
                file.write("".join(lines).encode())
        except OSError as error:
            raise _unwritable(self.file, error.strerror) from error
        self.added += len(measured)


def key_of(facts: Mapping[str, Setting | None]) -> str:
    """The key of a measurement: a digest of everything that it depends on."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _line(key: str, one: Measurement) -> str:
    row: dict[str, Setting | None] = {"key": key, "score": one.score, "shown": one.shown}
    # A line break before, not only behind: a line that a kill cut off must not swallow this one.
    return "\n" + json.dumps({**row, "png": one.png} if one.png else row) + "\n"


def _read(file: Path) -> list[tuple[str, Measurement]]:
    """The whole lines of a journal; what was cut off or is no measurement is passed over."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise OutputError(
            f"the journal cannot be read: {error.strerror}", where=visible(str(file))
        ) from error
    found = [one for line in content.splitlines() if (one := _measurement(line)) is not None]
    if not found and not content.lstrip().startswith(BEGIN) and content.strip():
        raise OutputError("this file is no journal", where=visible(str(file)), hint=ELSEWHERE)
    return found


def _must_be_writable(file: Path) -> None:
    """Say at once what `add` would fall over after the first batch."""
    place = next(one for one in (file, *file.absolute().parents) if one.exists())
    if place != file and not place.is_dir():
        raise _unwritable(file, f"{visible(str(place))} is no folder")
    if not os.access(place, os.W_OK):
        raise _unwritable(file, "permission denied")


def _unwritable(file: Path, why: str | None) -> OutputError:
    what = f"the journal cannot be written: {why}"
    return OutputError(what, where=visible(str(file)), hint=ELSEWHERE)


def _measurement(line: bytes) -> tuple[str, Measurement] | None:
    try:
        row = json.loads(line)
        key, score, shown, png = row["key"], float(row["score"]), row["shown"], row.get("png", "")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if not (isinstance(key, str) and isinstance(png, str) and isinstance(shown, bool | None)):
        return None
    return (key, Measurement(score, shown, png)) if isfinite(score) else None
