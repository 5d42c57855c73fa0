from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from surgery.store.checkpoint import open_checkpoint
from surgery.store.links import linked, same_device
from surgery.store.writer import write
from tests.store.build import contents, write_pipeline

CHANGED = "text_encoder/model.safetensors"
KEYS = {"surgery.version": "1"}


def test_a_link_is_the_same_file_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "soft").symlink_to("a")
    assert linked(tmp_path / "soft", tmp_path / "b")
    assert (tmp_path / "b").samefile(tmp_path / "a")
    assert not (tmp_path / "b").is_symlink()
    assert same_device(tmp_path / "soft", tmp_path)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_it_cannot_be_it_says_so(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, path: Path) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    assert not linked(tmp_path / "a", tmp_path / "b")


def test_other_failures_are_failures(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        linked(tmp_path / "a", tmp_path / "b")


def test_a_folder_links_what_stays_and_writes_what_changes(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "in"))
    before = contents(tmp_path / "in")
    change = {"text_encoder/out.weight": lambda: bytes(32)}
    sizes: list[int] = []
    done = write(
        checkpoint, change, tmp_path / "out", metadata=KEYS, link=True, on_bytes=sizes.append
    )
    for name in before:
        assert (tmp_path / "out" / name).samefile(tmp_path / "in" / name) == (name != CHANGED)
    assert done.linked == len(before) - 1
    assert done.bytes_written == (tmp_path / "out" / CHANGED).stat().st_size
    assert sum(sizes) == sum((tmp_path / "out" / name).stat().st_size for name in before)
    assert contents(tmp_path / "in") == before


def test_where_links_cannot_be_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, path: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "in"))
    done = write(checkpoint, {}, tmp_path / "out", metadata={}, link=True)
    assert done.linked == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "in")
    assert not (tmp_path / "out" / CHANGED).samefile(tmp_path / "in" / CHANGED)


def test_a_single_file_is_always_written(tmp_path: Path) -> None:
    file = write_pipeline(tmp_path / "in") / CHANGED
    done = write(open_checkpoint(file), {}, tmp_path / "x", metadata={}, link=True)
    assert done.linked == 0
    assert not (tmp_path / "x").samefile(file)
