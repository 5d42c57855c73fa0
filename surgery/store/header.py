"""The header of a safetensors file, read so strictly that it can mean one thing only.

Knows bytes, names, dtypes and shapes; never reads or decodes tensor data. Stricter than the
reference reader, which lets the last of two equal keys win.
Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from surgery.errors import CheckpointError, UsageError
from surgery.store.clone import BLOCK
from surgery.store.disguise import recognise
from surgery.store.entries import DTYPE_BITS, TensorEntry, check_cover, parse_entry
from surgery.store.files import read_span, stamp
from surgery.store.strict_json import load_object, members
from surgery.store.text import quoted, size, visible

__all__ = [
    "DTYPE_BITS",
    "MAX_HEADER",
    "Header",
    "TensorEntry",
    "build_header",
    "parse_header",
    "read_header",
    "with_metadata",
    "without_metadata",
]

PREFIX = 8
_ALIGNMENT = 8
OWN = "surgery."
_UNREADABLE = frozenset(["\0", *map(chr, range(0xD800, 0xE000))])
# A legal header of 94 MB costs the reference reader 16 s and 1.4 GB; the Hub's client stops here.
MAX_HEADER = 25_000_000


@dataclass(frozen=True, slots=True)
class Header:
    """A valid header: entries in the order of its JSON, `raw` being the file up to its data."""

    entries: tuple[TensorEntry, ...]
    metadata: dict[str, str]
    data_start: int
    raw: bytes


def read_header(path: Path, *, max_header: int = MAX_HEADER) -> Header:
    """Read and check the header of a regular file.

    Raises:
        CheckpointError: no regular file, another format in disguise, or a header open to doubt.
    """
    total = stamp(path).size
    return header_from(partial(read_span, path), total, visible(str(path)), max_header)


def header_from(
    read: Callable[[int, int], bytes],
    total: int,
    where: str,
    max_header: int,
    *,
    first: int = 512,
) -> Header:
    """Read and check the header of a file wherever it lies.

    Args:
        read: returns the bytes from a start on, and how many.
        total: bytes of the whole file.
        where: what errors call it.
        first: bytes to begin with; a longer header takes a second reading.

    Raises:
        CheckpointError: another format in disguise, or a header open to doubt.
    """
    if total == 0:
        raise CheckpointError("the file is empty", where=where, hint="download it again")
    head = read(0, min(first, total))
    length = _length(head, total, where)
    if length > max_header:
        raise CheckpointError(
            f"the header has {size(length)}, more than {size(max_header)}",
            where=where,
            hint="raise the limit only for a file you trust: such a header takes long to read",
        )
    rest = PREFIX + length - len(head)
    return parse_header(head + read(len(head), rest) if rest > 0 else head, total, where)


def parse_header(raw: bytes, file_size: int, where: str) -> Header:
    """Check a header against the size of its file.

    Args:
        raw: the file's first bytes, at least to the end of the header.
        file_size: bytes of the whole file.
        where: what errors call the file.

    Raises:
        CheckpointError: anything that two readers could read differently, or that is cut or false.
    """
    data_start = PREFIX + _length(raw, file_size, where)
    if len(raw) < data_start:
        raise CheckpointError("the header is cut short", where=where)
    text = raw[PREFIX:data_start]
    if not text.startswith(b"{"):
        raise _refused(raw, "the header does not start with '{'", where)
    content = load_object(text, where)
    metadata = _metadata(content.pop("__metadata__", None), where)
    entries = tuple(parse_entry(name, value, where) for name, value in content.items())
    check_cover(entries, file_size - data_start, where)
    return Header(entries, metadata, data_start, bytes(raw[:data_start]))


def with_metadata(header: Header, added: Mapping[str, str]) -> bytes:
    """Return header bytes with `added` put into `__metadata__`, everything else kept as text.

    The old padding absorbs the addition where it can; else spaces are added until the data moves by
    whole blocks, so that a copy can share them. They are added whatever the disk: the bytes of a
    file must not depend on where it is written, and at most 4 kB is little.

    Args:
        header: the header to extend.
        added: keys that start with `surgery.`; one that is there already is replaced.

    Raises:
        UsageError: a key outside `surgery.`.
    """
    foreign = [key for key in added if not key.startswith(OWN)]
    if foreign:
        raise UsageError(f"metadata key {quoted(foreign[0])} does not start with '{OWN}'")
    if any(char in _UNREADABLE for item in added.items() for word in item for char in word):
        raise UsageError("metadata holds NUL or half a surrogate pair, which no reader accepts")
    if not added:
        return header.raw
    text = header.raw[PREFIX:].decode("utf-8").rstrip(" \t\r\n")
    body = _extended(text, added).encode("utf-8")
    return _framed(body, _extended_length(len(body), len(header.raw) - PREFIX))


def without_metadata(header: Header, keys: Iterable[str]) -> bytes:
    """Return header bytes without some keys of `__metadata__`, everything else kept as text.

    The room that this leaves becomes padding, so that the data need not move.

    Args:
        header: the header to shorten.
        keys: what to take out; a key that is not there is no error.
    """
    gone = set(keys) & header.metadata.keys()
    if not gone:
        return header.raw
    text = header.raw[PREFIX:].decode("utf-8").rstrip(" \t\r\n")
    _, start, end = members(text)["__metadata__"]
    inner = text[start:end]
    kept = [inner[at:stop] for key, (at, _, stop) in members(inner).items() if key not in gone]
    shorter = (text[:start] + "{" + ",".join(kept) + "}" + text[end:]).encode("utf-8")
    return _framed(shorter, _extended_length(len(shorter), len(header.raw) - PREFIX))


def build_header(entries: Iterable[TensorEntry], metadata: Mapping[str, str]) -> bytes:
    """Return the header bytes of a new file, metadata first, padded to a multiple of 8."""
    content: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    for entry in entries:
        content[entry.name] = {
            "dtype": entry.dtype,
            "shape": list(entry.shape),
            "data_offsets": [entry.begin, entry.end],
        }
    body = _dumps(content).encode("utf-8")
    return _framed(body, _aligned(len(body)))


def _length(head: bytes, file_size: int, where: str) -> int:
    length = int.from_bytes(head[:PREFIX], "little")
    if len(head) < PREFIX or file_size < PREFIX:
        raise _refused(head, f"the file has only {file_size} bytes", where)
    if length > file_size - PREFIX:
        problem = f"the header claims {length} bytes, but the file has only {file_size}"
        raise _refused(head, problem, where)
    if length < 2:
        raise _refused(head, f"the header claims {length} bytes", where)
    return length


def _refused(head: bytes, problem: str, where: str) -> CheckpointError:
    disguise = recognise(head)
    if disguise:
        return CheckpointError(f"this is {disguise[0]}", where=where, hint=disguise[1])
    hint = "it is cut short or no safetensors file; download it again"
    return CheckpointError(problem, where=where, hint=hint)


def _metadata(value: object, where: str) -> dict[str, str]:
    # The reference reader takes null for "no metadata"; it has one meaning, so it is kept.
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CheckpointError("__metadata__ is not an object of texts", where=where)
    for key, text in value.items():
        if not isinstance(text, str):
            problem = f"__metadata__ holds {type(text).__name__} at {quoted(key)}, not text"
            raise CheckpointError(problem, where=where)
    return value


def _extended(text: str, added: Mapping[str, str]) -> str:
    found = members(text)
    if "__metadata__" not in found:
        own = f'"__metadata__":{_dumps(dict(added))}'
        return "{" + own + ("," + text[1:].lstrip(" \t\r\n") if found else "}")
    _, start, end = found["__metadata__"]
    return text[:start] + _merged(text[start:end], added) + text[end:]


def _merged(text: str, added: Mapping[str, str]) -> str:
    old = {} if text == "null" else members(text)
    kept = [text[at:end] for key, (at, _, end) in old.items() if key not in added]
    new = [f"{_dumps(key)}:{_dumps(value)}" for key, value in added.items()]
    return "{" + ",".join(kept + new) + "}"


def _extended_length(needed: int, old: int) -> int:
    # Unaligned data is aligned rather than moved by whole blocks: every reader gains by that.
    if old % _ALIGNMENT:
        return _aligned(needed)
    return old + max(0, -(-(needed - old) // BLOCK) * BLOCK)


def _aligned(length: int) -> int:
    return length + -length % _ALIGNMENT


def _framed(body: bytes, length: int) -> bytes:
    return length.to_bytes(PREFIX, "little") + body.ljust(length)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
