from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.torch_zip import check_archive, is_zip

GOOD = {"m/data.pkl": b"\x80\x02}.", "m/version": b"3\n", "m/data/0": bytes(8)}


def zipped(path: Path, records: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return path


def test_what_torch_writes_passes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.ckpt", GOOD)
    assert is_zip(path)
    check_archive(path)


def test_another_file_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "m.ckpt").write_bytes(b"\x80\x02}.")
    assert not is_zip(tmp_path / "m.ckpt")


@pytest.mark.parametrize(
    "records",
    [
        {},
        {"data.pkl": b""},
        {"m/version": b"3"},
        {"m/data.pkl": b"", "n/data/0": b""},
        {"m/data.pkl": b"", "m/deep/data.pkl": b""},
        {"m/data.pkl": b"", "m/../../etc/passwd": b""},
        {"m\\data.pkl": b""},
        {"/data.pkl": b""},
        {"../data.pkl": b"", "../x/data.pkl": b""},
    ],
)
def test_odd_roots_are_refused(tmp_path: Path, records: dict[str, bytes]) -> None:
    with pytest.raises(CheckpointError, match=r"not one folder|damaged"):
        check_archive(zipped(tmp_path / "m.ckpt", records))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.ckpt", GOOD)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("m/data.pkl", b"other")
    with pytest.raises(CheckpointError, match=r"'m/data\.pkl' is there twice"):
        check_archive(path)


def test_compressed_records_are_refused_before_they_are_inflated(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.ckpt", GOOD | {"m/data/1": bytes(10**6)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed or encrypted"):
        check_archive(path)


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m.ckpt", GOOD)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"\x80\x02}.", b"\x80\x02].", 1))
    with pytest.raises(CheckpointError, match=r"'m/data\.pkl' is damaged: its CRC"):
        check_archive(path)


@pytest.mark.parametrize("kept", [4, 30, 100, -1, -20])
def test_a_cut_archive_is_refused(tmp_path: Path, kept: int) -> None:
    path = zipped(tmp_path / "m.ckpt", GOOD)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="damaged"):
        check_archive(path)
