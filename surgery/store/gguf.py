"""What the header of a GGUF file says. Reads no tensor; such files are shown, never edited.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.files import opened, read_into, stamp
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


def is_gguf(path: Path) -> bool:
    """Return whether a regular file begins as a GGUF file does."""
    try:
        if not path.is_file() or not stamp(path).size:
            return False
    except (OSError, ValueError):
        # A name too long for the file system, or one in a folder that may not be read.
        return False
    head = bytearray(len(MAGIC))
    with opened(path) as descriptor, memoryview(head) as view:
        read_into(descriptor, view, 0, path)
    return bytes(head) == MAGIC


def read_gguf(path: Path) -> GgufHeader:
    """Read the header of a GGUF file.

    Raises:
        CheckpointError: cut short, of another version, or with numbers that cannot be.
    """
    cursor = _Cursor(path)
    if cursor.take(4) != MAGIC:
        raise cursor.error("this is no GGUF file")
    version = cursor.number("I")
    if version not in {2, 3}:
        raise cursor.error(f"GGUF version {version} is not read, only 2 and 3")
    tensors, entries = cursor.number("Q"), cursor.number("Q")
    if (tensors + entries) * 12 > cursor.total:
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

    def __init__(self, path: Path) -> None:
        self._path, self.total = path, stamp(path).size
        self._data, self._at, self._values = bytearray(), 0, 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > min(self.total, MAX_HEADER):
            limit = "it is cut short" if end > self.total else f"more than {size(MAX_HEADER)}"
            raise self.error(f"the GGUF header does not end: {limit}")
        while len(self._data) < end:
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
        return CheckpointError(what, where=visible(str(self._path)), hint="download it again")

    def _read_on(self, end: int) -> None:
        wanted = min(max(_PIECE, end - len(self._data)), self.total - len(self._data))
        piece = bytearray(wanted)
        with opened(self._path) as descriptor, memoryview(piece) as view:
            done = read_into(descriptor, view, len(self._data), self._path)
        self._data += piece[:done]
