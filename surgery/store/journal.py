"""The undo file of an edit in place: what every byte was, what it became, how far the edit got.

Magic, length and text of a JSON head, then for each span its old bytes and the CRC-32 of its new
sectors, then a seal, then one word for the state. Only that word ever changes. The seal is the
SHA-256 of all that, with the CRC-32 of old bytes in their place: it takes a quarter of the time.
Edits no model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal
from zlib import crc32

from surgery.errors import CheckpointError
from surgery.store.files import close, is_plain_name, read_all, read_span, stamp
from surgery.store.publish import give_name
from surgery.store.sink import Sink, reported
from surgery.store.spans import SECTOR, Span, sync_data
from surgery.store.staging import staged_file
from surgery.store.strict_json import load_object
from surgery.store.text import visible

State = Literal["unfinished", "done", "undone"]

MAGIC = b"surgery undo 1\n\0"
_WORDS: dict[State, bytes] = {"unfinished": b"open    ", "done": b"done    ", "undone": b"undone  "}
_WORD, _SEAL, _LENGTH = 8, 32, 8


@dataclass(frozen=True, slots=True)
class EditedFile:
    """One file of the model: its name beneath the root ("" for the root itself) and its spans.

    Args:
        size: bytes of the file.
        header: hex SHA-256 of the bytes before its data.
        data_start: where its data begins.
    """

    name: str
    size: int
    header: str
    data_start: int
    spans: tuple[Span, ...]

    def path(self, root: Path) -> Path:
        """Return where the file lies when the model lies at `root`."""
        return root / self.name if self.name else root


@dataclass(frozen=True, slots=True)
class Journal:
    """An edit in place: where the model lay, and what is edited in each of its files."""

    root: Path
    files: tuple[EditedFile, ...]

    @property
    def nbytes(self) -> int:
        """Bytes that the edit replaces."""
        return sum(len(span.old) for file in self.files for span in file.spans)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the undo file."""
        sums = sum(len(span.sums) for file in self.files for span in file.spans)
        fixed = len(MAGIC) + _LENGTH + _SEAL + _WORD
        return fixed + len(_head(self)) + self.nbytes + sums


def write_journal(path: Path, journal: Journal) -> None:
    """Write an undo file in the state "unfinished"; its name is on the disk once its folder is.

    Raises:
        OutputError: it exists or cannot be written.
        ResourceError: too little room.
    """
    with staged_file(path) as (descriptor, staged), Sink(descriptor, path) as sink:
        sink.reserve(journal.stored_bytes)
        for piece in _pieces(journal):
            sink.write(piece)
        sink.write(_seal(journal, _head(journal)) + _WORDS["unfinished"])
        sink.finish()
        give_name(staged, path, force=False)


def read_journal(path: Path) -> tuple[Journal, State]:
    """Read and check an undo file.

    Raises:
        CheckpointError: it is none, or it is damaged.
    """
    state = read_state(path)
    raw = read_all(path, stamp(path).size)
    begin, end = len(MAGIC) + _LENGTH, len(raw) - _SEAL - _WORD
    first = begin + int.from_bytes(raw[len(MAGIC) : begin], "little")
    head = raw[begin:first]
    journal = _parsed(head, raw, (first, end), path)
    if _seal(journal, head) != raw[end : end + _SEAL]:
        raise _damaged(path)
    return journal, state


def read_state(path: Path) -> State:
    """Return how far the edit of an undo file got, without reading all of it.

    Raises:
        CheckpointError: it is no undo file.
    """
    total = stamp(path).size
    if total < len(MAGIC) + _LENGTH + _SEAL + _WORD or read_span(path, 0, len(MAGIC)) != MAGIC:
        raise CheckpointError("this is no undo file", where=visible(str(path)))
    word = read_span(path, total - _WORD, _WORD)
    # A word that was cut while it was written says neither: the edit was still open then.
    return next((state for state, known in _WORDS.items() if known == word), "unfinished")


def mark(path: Path, state: State) -> None:
    """Write the state of an undo file and bring it to the disk."""
    with reported(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, _WORDS[state], os.fstat(descriptor).st_size - _WORD)
            sync_data(descriptor)
        finally:
            close(descriptor)


def _head(journal: Journal) -> bytes:
    files = [
        {
            "name": os.fsencode(file.name).hex(),
            "size": file.size,
            "header": file.header,
            "data_start": file.data_start,
            "spans": [[span.start, len(span.old)] for span in file.spans],
        }
        for file in journal.files
    ]
    return json.dumps({"root": os.fsencode(journal.root).hex(), "files": files}).encode()


def _pieces(journal: Journal) -> Iterator[bytes]:
    head = _head(journal)
    yield MAGIC + len(head).to_bytes(_LENGTH, "little") + head
    for file in journal.files:
        for span in file.spans:
            yield span.old
            yield span.sums


def _seal(journal: Journal, head: bytes) -> bytes:
    seal = sha256(head)
    for file in journal.files:
        for span in file.spans:
            seal.update(crc32(span.old).to_bytes(4, "little") + span.sums)
    return seal.digest()


def _parsed(head: bytes, raw: bytes, body: tuple[int, int], path: Path) -> Journal:
    """The journal of a head, and of the bytes of `raw` from the first to the last of `body`."""
    at, end = body
    try:
        told = load_object(head, visible(str(path)))
        root, found = told["root"], told["files"]
        if not isinstance(root, str) or not isinstance(found, list):
            raise _damaged(path)
        files = []
        for each in found:
            file, at = _file(each, raw, at)
            files.append(file)
        place = Path(os.fsdecode(bytes.fromhex(root)))
    except (CheckpointError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    if at != end:
        raise _damaged(path)
    return Journal(place, tuple(files))


def _file(each: dict[str, object], raw: bytes, at: int) -> tuple[EditedFile, int]:
    name, header, pairs = each["name"], each["header"], each["spans"]
    numbers = (each["size"], each["data_start"])
    if not isinstance(name, str) or not isinstance(header, str) or not isinstance(pairs, list):
        raise TypeError
    name = os.fsdecode(bytes.fromhex(name))
    if name and not all(map(is_plain_name, name.split("/"))):
        raise ValueError
    spans = []
    for start, count in pairs:
        _check_numbers(start, count)
        end = at + count
        sums = end + 4 * _count_sectors(start, count)
        spans.append(Span(start, raw[at:end], raw[end:sums]))
        at = sums
    size, data_start = _check_numbers(*numbers)
    return EditedFile(name, size, header, data_start, tuple(spans)), at


def _check_numbers(*values: object) -> tuple[int, ...]:
    numbers = tuple(value for value in values if isinstance(value, int) and value >= 0)
    if len(numbers) != len(values):
        raise TypeError
    return numbers


def _count_sectors(start: int, count: int) -> int:
    return (start + count - 1) // SECTOR - start // SECTOR + 1 if count else 0


def _damaged(path: Path) -> CheckpointError:
    hint = "take a copy of it, or a copy of the model"
    return CheckpointError("the undo file is damaged", where=visible(str(path)), hint=hint)
