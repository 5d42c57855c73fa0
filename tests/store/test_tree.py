"""Every file beneath a folder is found once, in one order; what cannot be copied is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.tree import walk


def test_files_come_sorted_with_hidden_and_nested_ones(tmp_path: Path) -> None:
    for name in ["b/z.txt", "b/a/deep.txt", "a.json", ".gitattributes"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert walk(tmp_path) == (".gitattributes", "a.json", "b/a/deep.txt", "b/z.txt")


def test_a_clones_history_and_litter_are_no_part_of_a_model(tmp_path: Path) -> None:
    for name in [".git/config", ".surgery-1-ab.part/x", "keep"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert walk(tmp_path) == ("keep",)


def test_links_are_followed_to_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "f").touch()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "file").symlink_to("../blobs/f")
    (tmp_path / "model" / "folder").symlink_to("../blobs")
    assert walk(tmp_path / "model") == ("file", "folder/f")


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to("..")
    with pytest.raises(CheckpointError, match="leads back"):
        walk(tmp_path)


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gone.json").symlink_to("nowhere")
    with pytest.raises(CheckpointError, match=r"gone\.json: cannot be read"):
        walk(tmp_path)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="pipe, socket or device"):
        walk(tmp_path)


def test_bottomless_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "/".join("d" * 40)).mkdir(parents=True)
    with pytest.raises(CheckpointError, match="too many levels"):
        walk(tmp_path)
