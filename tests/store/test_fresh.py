from __future__ import annotations

from pathlib import Path

import pytest
from safetensors import safe_open

from surgery.errors import OutputError, ResourceError
from surgery.store.fresh import NewTensor, pieces, write_new
from surgery.store.header import read_header
from tests.store.build import names

TENSORS = (
    NewTensor("a", "F32", (2, 3), bytes(range(24))),
    NewTensor("none", "F16", (0, 4), b""),
    NewTensor("b", "U8", (5,), b"12345"),
)


def test_tensors_lie_one_after_the_other_and_the_library_reads_them(tmp_path: Path) -> None:
    target = tmp_path / "new.safetensors"
    assert write_new(pieces(TENSORS, {"k": "v"}), target, force=False) == target.stat().st_size
    places = [(entry.name, entry.begin, entry.end) for entry in read_header(target).entries]
    assert places == [("a", 0, 24), ("none", 24, 24), ("b", 24, 29)]
    with safe_open(target, "np") as opened:
        assert opened.metadata() == {"k": "v"}
        assert {one.name: opened.get_tensor(one.name).tobytes() for one in TENSORS} == {
            one.name: one.data for one in TENSORS
        }


def test_only_force_replaces_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "new"
    write_new([b"old"], target, force=False)
    target.chmod(0o640)
    with pytest.raises(OutputError, match="exists already"):
        write_new([b"new"], target, force=False)
    assert target.read_bytes() == b"old"
    write_new([b"ne", b"w"], target, force=True)
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"new", 0o640)
    assert names(tmp_path) == ["new"]


def test_too_little_room_is_known_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from surgery.store import preflight

    free = type("usage", (), {"free": 2})
    monkeypatch.setattr(preflight, "disk_usage", lambda _: free)
    with pytest.raises(ResourceError, match="3 bytes"):
        write_new([b"new"], tmp_path / "new", force=False)
    assert names(tmp_path) == []
