"""Patch files are written whole or not at all, and read without trusting them."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from surgery.errors import CheckpointError, OutputError, SurgeryError
from surgery.patches import PatchFile, apply_patch, from_models, read_patch, write_patch
from surgery.patches.manifest import FORMAT, MANIFEST
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.header import build_header, read_header
from tests.patches.samples import NAME, one_change, weight, write_model

Manifest = dict[str, object]


@pytest.fixture
def made(tmp_path: Path) -> tuple[Checkpoint, PatchFile, Path]:
    checkpoint, patch = one_change(tmp_path / "m.safetensors", "F32")
    write_patch(patch, tmp_path / "p.safetensors")
    return checkpoint, patch, tmp_path / "p.safetensors"


def test_what_is_written_reads_back(made: tuple[Checkpoint, PatchFile, Path]) -> None:
    _, patch, path = made
    found = read_patch(path)
    assert (found.base, found.metadata, found.headers) == (
        patch.base,
        patch.metadata,
        patch.headers,
    )
    for a, b in zip(found.tensors, patch.tensors, strict=True):
        assert (a.name, a.dtype, a.shape, a.before, a.after) == (
            *(b.name, b.dtype, b.shape, b.before, b.after),
        )
        assert (a.forward, a.backward) == (b.forward, b.backward)
        for x, y in zip(a.factors, b.factors, strict=True):
            assert x.rows == y.rows
            assert np.array_equal(x.up, y.up)
            assert np.array_equal(x.down, y.down)


def test_it_is_a_safetensors_file_of_its_own_size(
    made: tuple[Checkpoint, PatchFile, Path],
) -> None:
    _, patch, path = made
    with safe_open(path, "np") as file:
        assert file.metadata()["surgery.recipe"] == patch.recipe
        assert file.get_tensor("0.0.up").shape == (48, 2)
    assert write_patch(patch, path, force=True) == path.stat().st_size
    header = read_header(path)
    assert header.data_start % 8 == 0
    assert all(each.begin % 4 == 0 for each in header.entries if each.dtype == "F32")


def test_the_mode_is_that_of_the_umask_and_of_a_replaced_patch(
    made: tuple[Checkpoint, PatchFile, Path], tmp_path: Path
) -> None:
    _, patch, path = made
    umask = os.umask(0o027)
    try:
        write_patch(patch, tmp_path / "q.safetensors")
    finally:
        os.umask(umask)
    assert (tmp_path / "q.safetensors").stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    write_patch(patch, path, force=True)
    assert path.stat().st_mode & 0o777 == 0o604
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "m.safetensors",
        "p.safetensors",
        "q.safetensors",
    ]


def test_nothing_but_a_patch_is_ever_replaced(
    made: tuple[Checkpoint, PatchFile, Path], tmp_path: Path
) -> None:
    _, patch, path = made
    before = path.read_bytes(), (tmp_path / "m.safetensors").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_patch(patch, path)
    with pytest.raises(OutputError, match="no patch"):
        write_patch(patch, tmp_path / "m.safetensors", force=True)
    with pytest.raises(OutputError, match="no patch"):
        write_patch(patch, tmp_path, force=True)
    with pytest.raises(OutputError, match="does not exist"):
        write_patch(patch, tmp_path / "none" / "p.safetensors")
    assert (path.read_bytes(), (tmp_path / "m.safetensors").read_bytes()) == before


def rewritten(path: Path, change: Callable[[Manifest], None], **metadata: str) -> Path:
    """The same file with another manifest."""
    header = read_header(path)
    manifest = json.loads(header.metadata[MANIFEST])
    change(manifest)
    texts = header.metadata | {MANIFEST: json.dumps(manifest)} | metadata
    data = path.read_bytes()[header.data_start :]
    path.write_bytes(build_header(header.entries, texts) + data)
    return path


def set_to(place: str, value: object) -> Callable[[Manifest], None]:
    def change(manifest: Manifest) -> None:
        *path, last = ["tensors", 0, *(int(p) if p.isdigit() else p for p in place.split("."))]
        at: object = manifest
        for step in path:
            at = at[step]  # type: ignore[index]
        at[last] = value  # type: ignore[index]

    return change


BAD = [
    ("name", 7),
    ("dtype", "F99"),
    ("dtype", "F4"),
    ("shape", [2**47, 2**47]),
    ("shape", [48]),
    ("shape", []),
    ("shape", [-1, 5]),
    ("shape", [64, 48]),
    ("before", "0"),
    ("after", "x" * 64),
    ("more", 1),
    ("factors.0.up", "none"),
    ("factors.0.up", "0.backward"),
    ("factors.0.down", "0.0.up"),
    ("factors.0.rows", [40, 90]),
    ("factors.0.rows", [9, 3]),
    ("factors.0.rows", [0, 3]),
    ("backward.data", "0.0.up"),
    ("backward.count", 0),
    ("backward.count", 2**47),
    ("backward.count", True),
    ("backward.gap_bytes", 0),
    ("backward.gap_bytes", 9),
    ("backward.value_bytes", 8),
]


@pytest.mark.parametrize(("place", "value"), BAD, ids=lambda each: str(each)[:30])
def test_a_false_manifest_is_refused_when_it_is_read(
    place: str, value: object, made: tuple[Checkpoint, PatchFile, Path]
) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_patch(rewritten(made[2], set_to(place, value)))
    assert "p.safetensors" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tensor_named_twice_is_refused(made: tuple[Checkpoint, PatchFile, Path]) -> None:
    def double(manifest: Manifest) -> None:
        tensors = manifest["tensors"]
        assert isinstance(tensors, list)
        tensors.append(tensors[0])

    with pytest.raises(CheckpointError, match="twice"):
        read_patch(rewritten(made[2], double))


def test_a_newer_format_and_other_files_are_refused(
    made: tuple[Checkpoint, PatchFile, Path], tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="a newer surgery may read it"):
        read_patch(rewritten(made[2], lambda _: None, **{FORMAT: "2"}))
    with pytest.raises(CheckpointError, match="this is no patch; patches come from"):
        read_patch(tmp_path / "m.safetensors")
    with pytest.raises(CheckpointError, match="No such file"):
        read_patch(tmp_path / "none")
    (tmp_path / "text").write_text("hello, this is no safetensors file")
    with pytest.raises(CheckpointError):
        read_patch(tmp_path / "text")
    with pytest.raises(CheckpointError):
        read_patch(tmp_path)


def test_factors_that_are_not_finite_are_refused(
    made: tuple[Checkpoint, PatchFile, Path],
) -> None:
    path = made[2]
    header = read_header(path)
    raw = bytearray(path.read_bytes())
    raw[header.data_start : header.data_start + 4] = np.float32(np.nan).tobytes()
    path.write_bytes(raw)
    with pytest.raises(CheckpointError, match="NaN"):
        read_patch(path)


def test_every_flipped_byte_is_noticed_and_nothing_is_written(
    made: tuple[Checkpoint, PatchFile, Path], tmp_path: Path
) -> None:
    checkpoint, _, path = made
    raw = path.read_bytes()
    start = read_header(path).data_start
    places = [*range(0, start, 37), *range(start, len(raw), 29)]
    harmless = 0
    for place in places:
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x40]) + raw[place + 1 :])
        try:
            apply_patch(read_patch(path), checkpoint, tmp_path / "out.safetensors")
        except SurgeryError as error:
            assert "\n" not in str(error)
            assert not (tmp_path / "out.safetensors").exists()
        else:
            # Texts such as the recipe's name.
            assert place < start
            harmless += 1
            (tmp_path / "out.safetensors").unlink()
    assert harmless < len(places) / 10
    assert {each.name for each in tmp_path.iterdir()} == {"m.safetensors", "p.safetensors"}


@pytest.mark.parametrize("array", ["0.0.up", "0.0.down", "0.forward", "0.backward"])
def test_a_dry_run_notices_a_flipped_byte_too(
    made: tuple[Checkpoint, PatchFile, Path], array: str
) -> None:
    checkpoint, _, path = made
    raw, header = path.read_bytes(), read_header(path)
    (entry,) = (entry for entry in header.entries if entry.name == array)
    place = header.data_start + entry.end - 1
    path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x40]) + raw[place + 1 :])
    with pytest.raises(CheckpointError, match="the patch is damaged"):
        apply_patch(read_patch(path), checkpoint, None)


def test_a_bomb_takes_no_more_room_than_the_tensor(tmp_path: Path) -> None:
    first = write_model(tmp_path / "a.safetensors", {NAME: ("F32", weight())})
    second = write_model(tmp_path / "b.safetensors", {NAME: ("F32", weight(seed=1))})
    path = tmp_path / "p.safetensors"
    write_patch(from_models(open_checkpoint(first), open_checkpoint(second)), path)
    header = read_header(path)
    bomb = zlib.compress(bytes(60_000_000), 1)
    (place,) = header.entries
    entry = type(place)(place.name, "U8", (len(bomb),), 0, len(bomb))
    path.write_bytes(build_header([entry], header.metadata) + bomb)
    with pytest.raises(CheckpointError, match="does not inflate to its length"):
        apply_patch(read_patch(path), open_checkpoint(first), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
