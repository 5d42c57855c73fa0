"""What the header of a GGUF file says. Reads no tensor; such files are shown, never edited.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.address import on_hub
from surgery.store.files import read_span, stamp
from surgery.store.text import size, visible

MAGIC = b"GGUF"
# A vocabulary lies in the header: some 10 MB for the largest ones.
MAX_HEADER = 64_000_000
_PIECE = 1 << 20
_STRING, _ARRAY = 8, 9
_DEEPEST = 4
_MOST_VALUES = 2_000_000
_MOST_DIMENSIONS = 8
_SCALARS: Mapping[int, str] = {
    **{0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?"},
    **{10: "Q", 11: "q", 12: "d"},
}
# Source: enum ggml_type in ggml.h; the gaps are types that were taken away.
_TYPES: Mapping[int, str] = {
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1"},
    **{10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K"},
    **{16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S"},
    **{22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64"},
    **{29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0"},
}

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: its stored type, and its shape with the fastest dimension first."""

    name: str
    type: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The header of a GGUF file; of an array in its metadata only the length is kept."""

    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[GgufTensor, ...]

    @property
    def architecture(self) -> str:
        """What `general.architecture` says, '' where nothing does."""
        return str(self.metadata.get("general.architecture", ""))


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read from.

    Args:
        address: what the user is told it is called.
        read: returns the bytes from a start on, and how many.
    """

    address: str
    size: int
    read: Callable[[int, int], bytes]


def find_gguf(address: str) -> Source | None:
    """Return the GGUF file that an address means, None where it means something else.

    A file of this machine is known by its first bytes, one on the Hub by its name.

    Raises:
        HubError: the Hub does not give it.
    """
    if is_gguf(Path(address)):
        return here(Path(address))
    place = on_hub(address)
    if place is None or not place.path.endswith(".gguf"):
        return None
    # Imported here because a file of this machine never needs it.
    from surgery.store.hub_client import resolve
    from surgery.store.hub_headers import reader_of

    repository = resolve(place)
    shown = str(replace(repository.address, path=place.path))
    if reader := reader_of(repository, place.path):
        return Source(shown, repository.files[place.path].size, reader.read)
    return replace(here(repository.root / place.path), address=shown)


def here(path: Path) -> Source:
    """Return a file of this machine to read from."""
    return Source(str(path), stamp(path).size, partial(read_span, path))


def is_gguf(path: Path) -> bool:
    """Return whether a regular file begins as a GGUF file does."""
    try:
        if not path.is_file() or stamp(path).size < len(MAGIC):
            return False
    except (OSError, ValueError):
        # A name too long for the file system, or one in a folder that may not be read.
        return False
    return read_span(path, 0, len(MAGIC)) == MAGIC


def read_gguf(source: Source) -> GgufHeader:
    """Read the header of a GGUF file.

    Raises:
        CheckpointError: cut short, of another version, or with numbers that cannot be.
        HubError: the Hub does not give it.
    """
    cursor = _Cursor(source)
    if cursor.take(4) != MAGIC:
        raise cursor.error("this is no GGUF file")
    version = cursor.number("I")
    if version not in {2, 3}:
        raise cursor.error(f"GGUF version {version} is not read, only 2 and 3")
    tensors, entries = cursor.number("Q"), cursor.number("Q")
    if (tensors + entries) * 12 > source.size:
        raise cursor.error(f"the header claims {tensors} tensors and {entries} entries")
    metadata = {}
    for _ in range(entries):
        key = cursor.text()
        metadata[key] = cursor.value(cursor.number("I"))
    return GgufHeader(version, metadata, tuple(_tensor(cursor) for _ in range(tensors)))


def _tensor(cursor: _Cursor) -> GgufTensor:
    name, dimensions = cursor.text(), cursor.number("I")
    if dimensions > _MOST_DIMENSIONS:
        raise cursor.error(f"a tensor claims {dimensions} dimensions")
    shape = tuple(cursor.number("Q") for _ in range(dimensions))
    kind = cursor.number("I")
    cursor.number("Q")
    return GgufTensor(name, _TYPES.get(kind, f"type {kind}"), shape)


class _Cursor:
    """The header's bytes, front to back, read as they are needed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._data, self._at, self._values = bytearray(), 0, 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        total = self._source.size
        if end > min(total, MAX_HEADER):
            limit = "it is cut short" if end > total else f"more than {size(MAX_HEADER)}"
            raise self.error(f"the GGUF header does not end: {limit}")
        if len(self._data) < end:
            self._read_on(end)
        piece = bytes(self._data[self._at : end])
        self._at = end
        return piece

    def number(self, code: str) -> int:
        found = struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]
        return int(found)

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "backslashreplace")

    def value(self, kind: int, depth: int = 0) -> Value:
        self._values += 1
        if self._values > _MOST_VALUES:
            raise self.error(f"the metadata holds more than {_MOST_VALUES:,} values")
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array(depth)
        if kind not in _SCALARS:
            raise self.error(f"the metadata holds a value of unknown type {kind}")
        code = f"<{_SCALARS[kind]}"
        found: int | float | bool = struct.unpack(code, self.take(struct.calcsize(code)))[0]
        # JSON has no word for NaN and infinity.
        return found if math.isfinite(found) else str(found)

    def _array(self, depth: int) -> str:
        kind, count = self.number("I"), self.number("Q")
        if depth >= _DEEPEST:
            raise self.error("the metadata is nested too deeply")
        if kind in _SCALARS:
            self.take(count * struct.calcsize(f"<{_SCALARS[kind]}"))
        else:
            for _ in range(count):
                self.value(kind, depth + 1)
        return f"a list of {count:,}"

    def error(self, what: str) -> CheckpointError:
        where = visible(self._source.address)
        return CheckpointError(what, where=where, hint="download it again")

    def _read_on(self, end: int) -> None:
        """Read to `end` at least, and twice as much each time: a request costs a round trip."""
        held = len(self._data)
        wanted = min(max(_PIECE, held, end - held), self._source.size - held)
        self._data += self._source.read(held, wanted)
