"""Bytes arrive in order, in pieces that end on multiples of the piece; errors name the output."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgery.errors import CheckpointError, OutputError, ResourceError
from surgery.store.files import opened
from surgery.store.sink import PIECE, Sink, reported, sync_folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def descriptor(target: Path) -> Iterator[int]:
    number = os.open(target, os.O_RDWR | os.O_CREAT)
    yield number
    os.close(number)


def test_given_and_copied_bytes_follow_each_other(
    tmp_path: Path, target: Path, descriptor: int
) -> None:
    source = tmp_path / "source"
    data = os.urandom(PIECE * 2 + 12345)
    source.write_bytes(data)
    pieces: list[int] = []
    sink = Sink(descriptor, target, pieces.append)
    sink.reserve(len(data) + 100)
    with opened(source) as number:
        sink.write(b"h" * 100)
        sink.copy(number, source, 0, len(data))
    sink.finish()
    assert target.read_bytes() == b"h" * 100 + data
    assert pieces == [100, PIECE - 100, PIECE, 12345 + 100]
    assert sink.position == sum(pieces)


def test_large_given_bytes_are_cut_into_pieces_too(target: Path, descriptor: int) -> None:
    pieces: list[int] = []
    sink = Sink(descriptor, target, pieces.append)
    data = os.urandom(PIECE * 3)
    sink.write(data[:5])
    sink.write(data[5:])
    assert target.read_bytes() == data
    assert max(pieces) == PIECE
    assert len(pieces) == 4


def test_reserving_sets_the_size_and_nothing_is_no_error(target: Path, descriptor: int) -> None:
    Sink(descriptor, target).reserve(0)
    Sink(descriptor, target).reserve(5000)
    assert target.stat().st_size == 5000


def test_the_disk_begins_early_on_large_files(target: Path, descriptor: int) -> None:
    sink = Sink(descriptor, target)
    data = os.urandom(PIECE)
    for _ in range(70):
        sink.write(data)
    sink.finish()
    assert target.stat().st_size == 70 * PIECE


def test_a_source_that_ends_early_is_the_sources_fault(
    tmp_path: Path, target: Path, descriptor: int
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"abc")
    with opened(source) as number, pytest.raises(CheckpointError, match=r"source: .*too early"):
        Sink(descriptor, target).copy(number, source, 0, 10)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_what_is_needed_and_free(code: int, target: Path) -> None:
    with (
        pytest.raises(ResourceError, match=r"2\.0 GB are needed, .* are free"),
        reported(target, 2 * 10**9),
    ):
        raise OSError(code, os.strerror(code))


def test_other_failures_name_the_output_and_the_reason(target: Path) -> None:
    with (
        pytest.raises(OutputError, match="out: cannot be written: Input/output error"),
        reported(target),
    ):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_folder_that_is_gone_cannot_be_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path, tmp_path)
    with pytest.raises(OutputError, match="No such file"):
        sync_folder(tmp_path / "gone", tmp_path / "out")
