"""Spans of a file that an edit in place replaces: which bytes differ, and what a span holds now.

Bytes only: knows no tensors, no undo file and no policy.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

# The smallest piece that a disk writes whole: a power loss tears between sectors, not inside one.
SECTOR = 512
_BLOCK = 4096
_GLANCE = 64
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes to be replaced.

    Args:
        start: where they begin in the file.
        old: what they were.
        sums: little-endian CRC-32 of what each sector of the file becomes within the span.
    """

    start: int
    old: bytes
    sums: bytes


@dataclass(frozen=True, slots=True)
class Tally:
    """How many sectors of spans are as before, as after, and neither."""

    old: int = 0
    new: int = 0
    strange: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.old + other.old, self.new + other.new, self.strange + other.strange)


def differing(start: int, old: bytes, new: bytes) -> Iterator[tuple[Span, bytes]]:
    """Yield the spans where two equally long values at `start` of a file differ, and the new bytes.

    Blocks of 4 KiB that are equal are left out, so that an edit of a few rows costs a few rows.
    """
    begin = None
    for at in range(0, len(old) + _BLOCK, _BLOCK):
        # Where all is new, a glance is enough, and far quicker than taking two blocks out.
        same = old[at : at + _GLANCE] == new[at : at + _GLANCE]
        same = same and old[at : at + _BLOCK] == new[at : at + _BLOCK]
        if begin is not None and same:
            yield _span(start + begin, old[begin:at], new[begin:at])
            begin = None
        elif begin is None and not same:
            begin = at


def sums_of(start: int, data: bytes) -> bytes:
    """Return the CRC-32 of each sector that `data` touches when it lies at `start` of a file."""
    first = -start % SECTOR
    heads = [crc32(data[:first])] if first and data else []
    found = heads + [crc32(data[at : at + SECTOR]) for at in range(first, len(data), SECTOR)]
    return struct.pack(f"<{len(found)}I", *found)


def tally(span: Span, current: bytes) -> Tally:
    """Return what the sectors of a span hold, given the file's bytes there."""
    count = len(span.sums) // 4
    if current == span.old:
        return Tally(old=count)
    if (sums := sums_of(span.start, current)) == span.sums:
        return Tally(new=count)
    found = Tally()
    for number, (begin, end) in enumerate(_sectors(span.start, len(current))):
        place = slice(4 * number, 4 * number + 4)
        if current[begin:end] == span.old[begin:end]:
            found += Tally(old=1)
        elif sums[place] == span.sums[place]:
            found += Tally(new=1)
        else:
            found += Tally(strange=1)
    return found


def write_at(descriptor: int, start: int, data: bytes) -> None:
    """Write `data` at `start` in pieces, so that a signal is heard in between."""
    with memoryview(data) as view:
        done = 0
        while done < len(view):
            done += os.pwrite(descriptor, view[done : done + _PIECE], start + done)


def sync_data(descriptor: int) -> None:
    """Bring bytes that were written over others to the disk; the file's length is as it was."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _span(start: int, old: bytes, new: bytes) -> tuple[Span, bytes]:
    return Span(start, old, sums_of(start, new)), new


def _sectors(start: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) within the span for each sector of the file that it touches."""
    begin = 0
    while begin < count:
        end = min(count, begin + SECTOR - (start + begin) % SECTOR)
        yield begin, end
        begin = end
