from __future__ import annotations

import gc
import zipfile
from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.dduf import read_directory
from tests.helpers.dduf import records, write_dduf
from tests.store.build import file_bytes, write_pipeline

WEIGHTS = file_bytes({"a": ("F32", (2,))})
GOOD = {"model_index.json": b"{}", "unet/config.json": b"{}", "unet/m.safetensors": WEIGHTS}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_dduf(tmp_path / "m.dduf", records(write_pipeline(tmp_path / "in")))


def test_it_holds_what_its_folder_holds(tmp_path: Path, path: Path) -> None:
    folder, found = open_checkpoint(tmp_path / "in"), open_checkpoint(path)
    assert set(found) == set(folder)
    for name, ref in found.items():
        assert (ref.dtype, ref.shape) == (folder[name].dtype, folder[name].shape)
        assert ref.read() == folder[name].read()
    assert found.json("unet/config.json") == folder.json("unet/config.json")
    assert found.json("unet/nothing.json") is None
    assert found.total_bytes == path.stat().st_size
    assert (found.files, found.side_files) == ((path,), ())
    assert len(found.fingerprint) == 64


def test_the_hub_reads_the_same_records(path: Path) -> None:
    from huggingface_hub import read_dduf_file

    theirs = read_dduf_file(path)
    assert {name: (entry.offset, entry.length) for name, entry in theirs.items()} == {
        name: tuple(span) for name, span in read_directory(path).items()
    }


def test_side_files_are_extracted_only_when_asked_for_and_go_away(tmp_path: Path) -> None:
    content = GOOD | {"tokenizer/vocab.json": b'{"a": 0}', "tokenizer/merges.txt": b"x"}
    checkpoint = open_checkpoint(write_dduf(tmp_path / "m.dduf", content))
    folder = checkpoint.folder("tokenizer")
    assert sorted(file.name for file in folder.iterdir()) == ["merges.txt", "vocab.json"]
    assert not checkpoint.folder("tokenizer_2").exists()
    del checkpoint
    gc.collect()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"../evil.json": b""}, "no name"),
        ({"/etc/x.json": b""}, "no name"),
        ({"a/b/c.json": b""}, "no name"),
        ({"unet\\x.json": b""}, "no name"),
        ({"unet/code.py": b""}, "no name"),
        ({"unet/two.safetensors": WEIGHTS}, "in two files"),
        ({"unet/bad.safetensors": b"\xff" * 64}, "claims"),
        ({"unet/short.safetensors": b"\x01"}, "claims"),
    ],
)
def test_odd_records_are_refused(tmp_path: Path, change: dict[str, bytes], reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason):
        open_checkpoint(write_dduf(tmp_path / "m.dduf", GOOD | change))


@pytest.mark.parametrize("missing", ["model_index.json", "unet/m.safetensors"])
def test_what_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    content = {name: data for name, data in GOOD.items() if name != missing}
    with pytest.raises(CheckpointError, match=r"holds no (model_index|safetensors)"):
        open_checkpoint(write_dduf(tmp_path / "m.dduf", content))


def test_compressed_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="compressed"):
        open_checkpoint(write_dduf(tmp_path / "m.dduf", GOOD, zipfile.ZIP_DEFLATED))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_record_twice_is_refused(tmp_path: Path) -> None:
    path = write_dduf(tmp_path / "m.dduf", GOOD)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model_index.json", b"[]")
    with pytest.raises(CheckpointError, match="twice"):
        open_checkpoint(path)


@pytest.mark.parametrize("kept", [0, 3, 40, -1, -30])
def test_a_cut_archive_is_refused(tmp_path: Path, kept: int) -> None:
    path = write_dduf(tmp_path / "m.dduf", GOOD)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="damaged"):
        open_checkpoint(path)
