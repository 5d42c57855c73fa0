from __future__ import annotations

import random

import pytest

from surgery.store.spans import SECTOR, Span, Tally, differing, sums_of, tally

RANDOM = random.Random(3)
OLD, NEW = RANDOM.randbytes(20_000), RANDOM.randbytes(20_000)


def only(start: int, old: bytes, new: bytes) -> Span:
    ((span, written),) = differing(start, old, new)
    assert (span.start, span.old, written) == (start, old, new)
    return span


def test_equal_values_have_no_spans() -> None:
    assert list(differing(0, OLD, OLD)) == []
    assert list(differing(0, b"", b"")) == []


def test_spans_hold_what_differs_and_rebuild_the_new_value() -> None:
    new = bytearray(OLD)
    new[5000] ^= 1
    new[19_999] ^= 1
    spans = list(differing(100, OLD, bytes(new)))
    assert [(span.start, len(span.old)) for span, _ in spans] == [
        (100 + 4096, 4096),
        (100 + 16_384, 20_000 - 16_384),
    ]
    rebuilt = bytearray(OLD)
    for span, data in spans:
        rebuilt[span.start - 100 : span.start - 100 + len(data)] = data
    assert rebuilt == new


@pytest.mark.parametrize("start", [0, 1, 511, 512, 1000])
def test_old_new_and_every_cut_between_are_told_apart(start: int) -> None:
    span = only(start, OLD, NEW)
    count = len(span.sums) // 4
    assert tally(span, OLD) == Tally(old=count)
    assert tally(span, NEW) == Tally(new=count)
    for cut in (1, 100, SECTOR - start % SECTOR, 4096, 9999, len(OLD) - 1):
        found = tally(span, NEW[:cut] + OLD[cut:])
        whole = (start + cut) % SECTOR == 0
        assert found.strange == (0 if whole else 1)
        assert found.old + found.new + found.strange == count


def test_foreign_bytes_are_strange() -> None:
    span = only(0, OLD, NEW)
    assert tally(span, bytes(len(OLD))).strange == len(span.sums) // 4


def test_sums_follow_the_sectors_of_the_file_not_of_the_span() -> None:
    assert len(sums_of(0, bytes(SECTOR))) == 4
    assert len(sums_of(1, bytes(SECTOR))) == 8
    assert sums_of(0, b"") == b""
