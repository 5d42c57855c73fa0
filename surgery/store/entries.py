"""The tensors that a safetensors header lists: dtypes, shapes, byte ranges, and their checks.

Every number is checked before it is used for anything; no tensor data is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from surgery.errors import CheckpointError
from surgery.store.text import nearest, quoted, visible

_LARGEST = 2**63 - 1

DTYPE_BITS: Mapping[str, int] = MappingProxyType(
    {
        "BOOL": 8,
        "F4": 4,
        "F6_E2M3": 6,
        "F6_E3M2": 6,
        "U8": 8,
        "I8": 8,
        "F8_E5M2": 8,
        "F8_E4M3": 8,
        "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8,
        "F8_E5M2FNUZ": 8,
        "I16": 16,
        "U16": 16,
        "F16": 16,
        "BF16": 16,
        "I32": 32,
        "U32": 32,
        "F32": 32,
        "C64": 64,
        "F64": 64,
        "I64": 64,
        "U64": 64,
    }
)


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor as its header states it; offsets count from the start of the data."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor in the file."""
        return self.end - self.begin


def in_a_row(tensors: Iterable[tuple[str, str, tuple[int, ...]]]) -> Iterator[TensorEntry]:
    """Yield the entries of tensors (name, dtype, shape) that lie one right after the other."""
    at = 0
    for name, dtype, shape in tensors:
        end = at + prod(shape) * DTYPE_BITS[dtype] // 8
        yield TensorEntry(name, dtype, shape, at, end)
        at = end


def parse_entry(name: str, value: object, where: str) -> TensorEntry:
    """Return the entry of one tensor, or raise CheckpointError naming it and what is wrong."""
    place = f"{where}:{visible(name[:200])}"
    if not isinstance(value, dict):
        raise CheckpointError("the tensor's entry is not an object", where=place)
    missing = [key for key in ("dtype", "shape", "data_offsets") if key not in value]
    if missing:
        raise CheckpointError(f"the tensor's entry has no {missing[0]}", where=place)
    dtype = value["dtype"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        raise _unknown_dtype(dtype, place)
    shape = _numbers(value["shape"], "shape", place)
    offsets = _numbers(value["data_offsets"], "data_offsets", place)
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise CheckpointError(f"data_offsets {list(offsets)[:4]} is no range", where=place)
    entry = TensorEntry(name, dtype, shape, *offsets)
    _check_size(entry, place)
    return entry


def _unknown_dtype(dtype: object, place: str) -> CheckpointError:
    if not isinstance(dtype, str):
        return CheckpointError(f"dtype is {type(dtype).__name__}, not text", where=place)
    close = nearest(dtype.upper()[:40], DTYPE_BITS)
    hint = f"the nearest is {close}" if close else "the file may be newer than this reader"
    return CheckpointError(f"unknown dtype {quoted(dtype)}", where=place, hint=hint)


def _numbers(value: object, field: str, place: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise CheckpointError(f"{field} is not a list", where=place)
    for number in value:
        # bool is an int to isinstance, and -0 arrives as a float.
        if type(number) is not int or not 0 <= number <= _LARGEST:
            shown = quoted(str(number), 40)
            problem = f"{field} holds {shown}, not a whole number from 0 to 2^63-1"
            raise CheckpointError(problem, where=place)
    return tuple(value)


def _check_size(entry: TensorEntry, place: str) -> None:
    # Zeros are left out of the bound so that the answer does not hang on the order of the factors.
    bits = DTYPE_BITS[entry.dtype]
    bound = bits
    for dimension in entry.shape:
        bound *= dimension or 1
        if bound > _LARGEST:
            raise CheckpointError("the shape overflows 2^63 bits", where=place)
    needed = prod(entry.shape) * bits
    if needed % 8:
        raise CheckpointError(
            f"{entry.dtype} of shape {list(entry.shape)[:8]} does not fill whole bytes", where=place
        )
    if needed // 8 != entry.nbytes:
        raise CheckpointError(
            f"{entry.dtype} of shape {list(entry.shape)[:8]} needs {needed // 8} bytes, "
            f"data_offsets give {entry.nbytes}",
            where=place,
        )


def check_cover(entries: tuple[TensorEntry, ...], data_size: int, where: str) -> None:
    """Raise CheckpointError unless the tensors fill the data without hole, overlap or rest."""
    at = 0
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != at:
            problem = "overlaps the tensor before it" if entry.begin < at else "leaves a hole"
            place = f"{where}:{visible(entry.name[:200])}"
            what = f"the tensor {problem}: it starts at {entry.begin}, expected {at}"
            raise CheckpointError(what, where=place)
        at = entry.end
    if at > data_size:
        problem = f"the file is cut short: tensors need {at} bytes, {data_size} are there"
        raise CheckpointError(problem, where=where, hint="download it again")
    if at < data_size:
        problem = f"{data_size - at} bytes follow the last tensor"
        raise CheckpointError(problem, where=where, hint="the file holds more than it says")
