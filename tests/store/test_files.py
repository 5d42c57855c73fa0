"""Input files: regular ones only, told at once; a change or an early end is a clean error."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.files import (
    check_unchanged,
    is_plain_name,
    opened,
    read_into,
    read_span,
    stamp,
)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.safetensors")
    with pytest.raises(CheckpointError, match="is a pipe, not a regular file"):
        read_span(tmp_path / "p.safetensors", 0, 1)


def test_devices_sockets_and_folders_are_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        for path, kind in [
            (Path("/dev/zero"), "a device"),
            (tmp_path, "a folder"),
            (tmp_path / "s", "a socket"),
        ]:
            with pytest.raises(CheckpointError, match=kind):
                stamp(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.safetensors: cannot be read: No such file"):
        stamp(tmp_path / "gone.safetensors")


def test_a_span_past_the_end_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    assert read_span(path, 2, 3) == b"234"
    with pytest.raises(CheckpointError, match="ends at byte 10"):
        read_span(path, 8, 3)


def test_reading_stays_at_the_opened_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with opened(path) as descriptor:
        path.unlink()
        path.write_bytes(b"new")
        data = bytearray(3)
        assert read_into(descriptor, memoryview(data), 0, path) == 3
    assert data == b"old"


def test_a_file_that_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    before = stamp(path)
    check_unchanged(path, before)
    os.utime(path, ns=(1, 1))
    with pytest.raises(CheckpointError, match="changed while it was being read"):
        check_unchanged(path, before)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a", "a\\b", "a\0"])
def test_a_name_that_leads_elsewhere_is_not_plain(name: str) -> None:
    assert not is_plain_name(name)


def test_ordinary_names_are_plain() -> None:
    assert is_plain_name("model-00001-of-00002.safetensors")
    assert is_plain_name("..model")
