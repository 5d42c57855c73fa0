"""What may not be written is refused before a byte is read, and what lies there is unharmed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from surgery.errors import OutputError, ResourceError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.preflight import check_output, check_space
from tests.store.build import (
    skip_unless_closed,
    write_file,
    write_json,
    write_pipeline,
    write_shards,
)

SPEC = {"a": ("F32", (2,))}


def test_a_free_name_is_allowed_and_links_are_resolved(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", SPEC))
    assert check_output(checkpoint, tmp_path / "new", force=False) == tmp_path / "new"
    (tmp_path / "link").symlink_to("real")
    assert check_output(checkpoint, tmp_path / "link", force=False) == tmp_path / "real"


@pytest.mark.parametrize(
    "spell",
    [
        lambda path: path,
        lambda path: path.parent / "." / "x" / ".." / path.name,
        lambda path: path.parent / "soft",
        lambda path: path.parent / "hard",
    ],
)
def test_an_input_is_never_an_output_however_it_is_spelt(
    spell: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write_file(tmp_path / "m.safetensors", SPEC)
    (tmp_path / "x").mkdir()
    (tmp_path / "soft").symlink_to(path)
    (tmp_path / "hard").hardlink_to(path)
    with pytest.raises(OutputError, match="the output is an input"):
        check_output(open_checkpoint(path), spell(path), force=True)


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("sd", "is the input folder or lies inside"),
        ("sd/new", "is the input folder or lies inside"),
        ("sd/unet/new", "is the input folder or lies inside"),
        ("sd/unet", "is the input folder or lies inside"),
        ("alias", "is the input folder or lies inside"),
        ("alias/new", "is the input folder or lies inside"),
        (".", "the output holds an input"),
        ("..", "the output holds an input"),
        ("blobs", "the output holds an input"),
        ("sd/unet/config.json", "the output is an input"),
    ],
)
def test_an_input_folder_is_safe_even_with_force(out: str, says: str, tmp_path: Path) -> None:
    root = tmp_path / "deep"
    model = write_pipeline(root / "sd") / "text_encoder" / "model.safetensors"
    (root / "alias").symlink_to("sd")
    (root / "blobs").mkdir()
    model.rename(root / "blobs" / "b")
    model.symlink_to("../../blobs/b")
    with pytest.raises(OutputError, match=says):
        check_output(open_checkpoint(root / "sd"), root / out, force=True)


def test_a_shard_index_is_not_written_into_its_own_folder(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_shards(tmp_path / "in", "model"))
    with pytest.raises(OutputError, match="lies inside"):
        check_output(checkpoint, tmp_path / "in" / "out", force=True)


def test_an_existing_output_needs_force(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", SPEC))
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match=r"exists already.*--force"):
        check_output(checkpoint, tmp_path / "out", force=False)
    assert check_output(checkpoint, tmp_path / "out", force=True) == tmp_path / "out"


def test_a_file_model_replaces_only_a_regular_file(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "in" / "m.safetensors", SPEC))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for out in (tmp_path / "folder", tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(OutputError, match="no regular file"):
            check_output(checkpoint, out, force=True)


def test_a_folder_model_replaces_only_a_model_folder_or_an_empty_one(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "sd"))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="no folder, but the model is one"):
        check_output(checkpoint, tmp_path / "file", force=True)
    precious = tmp_path / "home"
    precious.mkdir()
    assert check_output(checkpoint, precious, force=True) == precious
    (precious / "thesis.txt").touch()
    with pytest.raises(OutputError, match="holds no model"):
        check_output(checkpoint, precious, force=True)
    write_json(precious / "model_index.json", {})
    assert check_output(checkpoint, precious, force=True) == precious


@pytest.mark.parametrize("out", ["gone/out", "file/out", "a\0b", "x" * 5000])
def test_a_place_that_cannot_be_is_refused(out: str, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", SPEC))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        check_output(checkpoint, tmp_path / out, force=True)


def test_a_circle_of_links_is_no_output(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", SPEC))
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError):
        check_output(checkpoint, tmp_path / "loop", force=True)


def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", SPEC))
    skip_unless_closed(tmp_path / "closed")
    with pytest.raises(OutputError, match="not writable"):
        check_output(checkpoint, tmp_path / "closed" / "out", force=False)


def test_too_little_room_says_both_numbers(tmp_path: Path) -> None:
    check_space(tmp_path / "out", 1)
    with pytest.raises(ResourceError, match=r"\(1000000000000000000 bytes\) are needed, .* free"):
        check_space(tmp_path / "out", 10**18)
