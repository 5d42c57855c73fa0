"""A new file of bytes that are in memory, put in place whole or not at all. Copies no model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from surgery.store.entries import in_a_row
from surgery.store.header import build_header
from surgery.store.preflight import check_space
from surgery.store.publish import keep_rights, publish
from surgery.store.sink import Sink, reported
from surgery.store.staging import remove_litter, staged_file


@dataclass(frozen=True, slots=True, eq=False)
class NewTensor:
    """One tensor as it will lie in a file; `data` counts in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


def pieces(tensors: Sequence[NewTensor], metadata: Mapping[str, str]) -> list[bytes | memoryview]:
    """Return the bytes of a safetensors file: its header, then each tensor.

    Args:
        tensors: those of the widest numbers first, so that all are aligned.
    """
    entries = in_a_row((each.name, each.dtype, each.shape) for each in tensors)
    return [build_header(entries, metadata), *(each.data for each in tensors)]


def write_new(content: Sequence[bytes | memoryview], target: Path, *, force: bool) -> int:
    """Write a file, and return its bytes.

    Args:
        target: its real place.
        force: replace what is there.

    Raises:
        OutputError: something is there (without `force`), or it cannot be written.
        ResourceError: too little room.
    """
    total = sum(map(len, content))
    check_space(target, total)
    with reported(target):
        remove_litter(target)
    with staged_file(target) as (descriptor, staged):
        fill(descriptor, content, target)
        if force:
            keep_rights(descriptor, target)
        publish(staged, target, force=force)
    return total


def fill(descriptor: int, content: Iterable[bytes | memoryview], target: Path) -> None:
    """Write bytes to an open file and bring them to the disk; errors name `target`."""
    parts = tuple(content)
    with Sink(descriptor, target) as sink:
        sink.reserve(sum(map(len, parts)))
        for part in parts:
            sink.write(part)
        sink.finish()
