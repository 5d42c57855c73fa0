"""A digest is that of the file as it lies on the disk, however its bytes came there."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from pathlib import Path

import pytest
import xxhash

from surgery.errors import UsageError
from surgery.store import sink as sinks
from surgery.store.digest import Algorithm, new_digest
from surgery.store.files import opened
from surgery.store.sink import PIECE, Sink


def _expected(algorithm: Algorithm, data: bytes) -> str:
    if algorithm == "sha256":
        return hashlib.sha256(data).hexdigest()
    return str(xxhash.xxh3_128(data).hexdigest())


@pytest.mark.parametrize("algorithm", ["sha256", "xxh3"])
def test_given_and_copied_bytes_are_both_in_it(algorithm: Algorithm, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(20 * PIECE + 77))
    digest = new_digest(algorithm)
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT)
    with opened(source) as number, Sink(descriptor, target, digest=digest) as sink:
        sink.write(b"head")
        sink.copy(number, source, 0, 20 * PIECE + 77)
        sink.write(b"tail")
        sink.finish()
    os.close(descriptor)
    assert digest.result() == _expected(algorithm, target.read_bytes())


def test_bytes_that_are_shared_with_the_source_are_read_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    data = os.urandom(3 * PIECE)
    source.write_bytes(data)

    def share_by_copy(one: int, other: int, tail: object) -> bool:
        os.pwrite(other, data, 4096)
        return True

    monkeypatch.setattr(sinks, "share", share_by_copy)
    digest = new_digest("sha256")
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT)
    with opened(source) as number, Sink(descriptor, target, digest=digest) as sink:
        assert sink.share(number, 0, len(data), at=4096)
        sink.write(b"h" * 4096)
        sink.copy(number, source, 0, len(data))
    os.close(descriptor)
    assert digest.result() == _expected("sha256", target.read_bytes())


def test_a_writing_that_fails_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    descriptor = os.open(tmp_path / "target", os.O_RDWR | os.O_CREAT)
    with (
        pytest.raises(RuntimeError),
        Sink(descriptor, tmp_path / "target", digest=new_digest("sha256")) as sink,
    ):
        sink.write(b"x" * PIECE)
        raise RuntimeError
    os.close(descriptor)
    assert threading.active_count() == before


def test_without_the_package_the_quick_one_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "xxhash", None)
    with pytest.raises(UsageError, match=r"pip install xxhash"):
        new_digest("xxh3")
