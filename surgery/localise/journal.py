"""Measurements that outlive the run which made them: one line of JSON for each, in a file.

A line's key is a digest of everything that the figure depends on, so that a changed setting is
another measurement and a stopped probe goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from surgery.errors import OutputError
from surgery.report import Setting
from surgery.store.text import visible


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
        added: how many were added by this process.
    """

    file: Path | None = None
    fresh: bool = False
    added: int = 0
    _found: dict[str, Measurement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is not None and self.file.exists() and not self.fresh:
            self._found.update(_read(self.file))

    def get(self, key: str) -> Measurement | None:
        return self._found.get(key)

    def add(self, measured: Mapping[str, Measurement]) -> None:
        """Keep measurements.

        Raises:
            OutputError: the file cannot be written.
        """
        self._found.update(measured)
        self.added += len(measured)
        if self.file is None or not measured:
            return
        lines = [_line(key, one) for key, one in measured.items()]
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            # One write of whole lines: what a kill cuts off is the last line at most.
            with self.file.open("ab") as file:
                file.write("".join(lines).encode())
        except OSError as error:
            raise OutputError(
                f"the journal cannot be written: {error.strerror}",
                where=visible(str(self.file)),
                hint="name another place by --journal",
            ) from error


def key_of(facts: Mapping[str, Setting | None]) -> str:
    """The key of a measurement: a digest of everything that it depends on."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _line(key: str, one: Measurement) -> str:
    row: dict[str, Setting | None] = {"key": key, "score": one.score, "shown": one.shown}
    # A line break before, not only behind: a line that a kill cut off must not swallow this one.
    return "\n" + json.dumps({**row, "png": one.png} if one.png else row) + "\n"


def _read(file: Path) -> Iterator[tuple[str, Measurement]]:
    """The whole lines of a journal; what was cut off or is no measurement is passed over."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise OutputError(
            f"the journal cannot be read: {error.strerror}", where=visible(str(file))
        ) from error
    return (found for line in lines if (found := _measurement(line)) is not None)


def _measurement(line: bytes) -> tuple[str, Measurement] | None:
    try:
        row = json.loads(line)
        key, score, shown, png = row["key"], float(row["score"]), row["shown"], row.get("png", "")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if not (isinstance(key, str) and isinstance(png, str) and isinstance(shown, bool | None)):
        return None
    return (key, Measurement(score, shown, png)) if isfinite(score) else None
