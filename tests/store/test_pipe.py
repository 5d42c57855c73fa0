"""A pipe copies, or says that it did not; it never keeps a descriptor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from surgery.store.pipe import CAPACITY, piped


def test_bytes_arrive_at_their_place_and_no_descriptor_stays(tmp_path: Path) -> None:
    data = os.urandom(CAPACITY + 777)
    (tmp_path / "source").write_bytes(data)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with (tmp_path / "source").open("rb") as source, (tmp_path / "out").open("wb") as out:
        with piped() as pipe:
            moved = pipe.move(source.fileno(), 7, out.fileno(), 5, 3000)
        assert moved == 3000
    assert (tmp_path / "out").read_bytes() == bytes(5) + data[7:3007]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_end_of_the_source_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"abc")
    with (
        (tmp_path / "source").open("rb") as source,
        (tmp_path / "out").open("wb") as out,
        piped() as pipe,
    ):
        assert pipe.move(source.fileno(), 3, out.fileno(), 0, 10) == 0


def test_after_one_failure_it_moves_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").write_bytes(b"abc")

    def fail(*_: int, **__: int) -> int:
        raise OSError

    with (
        (tmp_path / "source").open("rb") as source,
        (tmp_path / "out").open("wb") as out,
        monkeypatch.context() as patch,
        piped() as pipe,
    ):
        patch.setattr(os, "splice", fail)
        assert pipe.move(source.fileno(), 0, out.fileno(), 0, 3) == 0
        patch.undo()
        assert pipe.move(source.fileno(), 0, out.fileno(), 0, 3) == 0
