"""A digest is that of the file as it lies on the disk, however its bytes came there."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import threading
from pathlib import Path

import pytest
import xxhash

from surgery.errors import UsageError
from surgery.store import sink as sinks
from surgery.store.checkpoint import open_checkpoint
from surgery.store.digest import Algorithm, Watch, check_algorithm, new_digest
from surgery.store.files import opened
from surgery.store.sink import PIECE, Sink
from surgery.store.writer import write
from tests.helpers.dduf import records, write_dduf
from tests.store.build import write_file, write_pipeline


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
    watch = Watch(checksum="sha256")
    with (
        pytest.raises(RuntimeError),
        watch.digest("model") as digest,
        Sink(descriptor, tmp_path / "target", digest=digest) as sink,
    ):
        sink.write(b"x" * PIECE)
        raise RuntimeError
    os.close(descriptor)
    assert threading.active_count() == before
    assert not watch.digests


def test_where_no_thread_can_be_had_it_is_taken_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    watch = Watch(checksum="sha256")
    with watch.digest("model") as digest:
        assert digest is not None
        digest.add(memoryview(b"abc"))
    assert watch.digests == {"model": hashlib.sha256(b"abc").hexdigest()}


def test_nothing_is_taken_where_nothing_is_asked_for() -> None:
    watch = Watch()
    with watch.digest("model") as digest:
        assert digest is None
    assert not watch.digests


def test_without_the_package_the_quick_one_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_algorithm("xxh3")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install xxhash"):
        check_algorithm("xxh3")


def _source(kind: str, tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    if kind == "file":
        return write_file(folder / "m.safetensors", {"a": ("F32", (4,)), "b": ("F16", (3, 5))})
    write_pipeline(folder)
    return folder if kind == "folder" else write_dduf(tmp_path / "m.dduf", records(folder))


@pytest.mark.parametrize("kind", ["file", "folder", "dduf"])
def test_a_written_model_tells_the_digests_of_its_weights(kind: str, tmp_path: Path) -> None:
    source = _source(kind, tmp_path)
    checkpoint = open_checkpoint(source)
    name = next(iter(checkpoint))
    changes = {name: lambda: bytes(checkpoint[name].nbytes)}
    out, plain = tmp_path / f"out{source.suffix}", tmp_path / f"plain{source.suffix}"
    written = write(checkpoint, changes, out, metadata={"surgery.x": "1"}, checksum="sha256")
    assert written.checksums
    for file, digest in written.checksums.items():
        path = out / file if kind == "folder" else out
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not write(checkpoint, changes, plain, metadata={}).checksums
