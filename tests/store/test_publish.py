"""One rename gives a finished sibling its name; without force nothing is ever replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from surgery.errors import OutputError
from surgery.store import publish as module
from surgery.store.publish import keep_rights, publish
from tests.store.build import names


@pytest.fixture(params=["with renameat2", "without"])
def _rename(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(module, "_renameat2", lambda source, target, flag: False)


def folder(path: Path, name: str) -> Path:
    path.mkdir()
    (path / name).touch()
    return path


@pytest.mark.usefixtures("_rename")
def test_a_new_file_and_a_new_folder_get_their_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    publish(tmp_path / "a", tmp_path / "file", force=False)
    publish(folder(tmp_path / "b", "new"), tmp_path / "folder", force=False)
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.usefixtures("_rename")
def test_what_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        publish(tmp_path / "a", tmp_path / "file", force=False)
    assert (tmp_path / "file").read_bytes() == b"old"
    with pytest.raises(OutputError, match="exists already"):
        publish(folder(tmp_path / "b", "new"), folder(tmp_path / "c", "old"), force=False)
    assert names(tmp_path / "c") == ["old"]


@pytest.mark.usefixtures("_rename")
def test_force_replaces_a_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "file").write_bytes(b"old")
    publish(tmp_path / "a", tmp_path / "file", force=True)
    assert (tmp_path / "file").read_bytes() == b"new"
    staged = folder(tmp_path / "b", "new")
    publish(staged, folder(tmp_path / "c", "old"), force=True)
    assert names(tmp_path / "c") == ["new"]
    assert not staged.exists() or names(staged) == ["old"]
    assert not [name for name in names(tmp_path) if name.endswith(".old")]


@pytest.mark.usefixtures("_rename")
def test_force_needs_nothing_to_replace(tmp_path: Path) -> None:
    publish(folder(tmp_path / "b", "new"), tmp_path / "c", force=True)
    assert names(tmp_path) == ["c"]


def test_a_failed_exchange_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_renameat2", lambda source, target, flag: False)
    staged, target = folder(tmp_path / "b", "new"), folder(tmp_path / "c", "old")
    rename = Path.rename

    def fail_once(self: Path, other: Path) -> Path:
        if self == staged:
            raise OSError(5, "Input/output error")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(OutputError, match="Input/output error"):
        publish(staged, target, force=True)
    assert names(target) == ["old"]


def test_the_mode_of_what_is_replaced_is_kept(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch(mode=0o600)
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT, 0o644)
    keep_rights(descriptor, old)
    assert new.stat().st_mode & 0o7777 == 0o600
    keep_rights(descriptor, tmp_path / "gone")
    os.close(descriptor)
