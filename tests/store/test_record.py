"""A record lies in a folder or beside a file, and is told from what only has its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError, OutputError
from surgery.store.beside import staged_beside
from surgery.store.checkpoint import open_checkpoint
from surgery.store.record import MARK, NAME, beside, check_beside, read_text
from surgery.store.writer import write
from tests.store.build import contents, write_file, write_pipeline

TEXT = f"{MARK}1}}"


def test_a_text_is_read_if_it_is_a_records(tmp_path: Path) -> None:
    assert read_text(None) is None
    assert read_text(tmp_path / "none") is None
    (tmp_path / "r").write_text(TEXT, "utf-8")
    assert read_text(tmp_path / "r") == TEXT
    (tmp_path / "r").write_bytes(b"\xff\xfe")
    with pytest.raises(CheckpointError, match="has the name of a record"):
        read_text(tmp_path / "r")


def test_a_link_and_a_folder_are_never_replaced(tmp_path: Path) -> None:
    file, other = tmp_path / "m", tmp_path / "other"
    other.write_text(TEXT, "utf-8")
    check_beside(file, force=True)
    beside(file).symlink_to(other)
    with pytest.raises(OutputError, match="no record of surgery"):
        check_beside(file, force=True)
    beside(file).unlink()
    beside(file).mkdir()
    with pytest.raises(OutputError, match="no record of surgery"):
        check_beside(file, force=True)


def test_a_record_comes_after_its_file_and_not_without_it(tmp_path: Path) -> None:
    file = tmp_path / "m"
    with staged_beside(file, TEXT, force=False):
        assert not beside(file).exists()
    assert beside(file).read_text("utf-8") == TEXT
    beside(file).unlink()
    with pytest.raises(KeyError), staged_beside(file, TEXT, force=False):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_an_output_without_a_record_takes_an_old_one_away(tmp_path: Path) -> None:
    file = tmp_path / "m"
    beside(file).write_text(TEXT, "utf-8")
    with staged_beside(file, None, force=False):
        pass
    assert beside(file).exists()
    with staged_beside(file, None, force=True):
        pass
    assert not beside(file).exists()
    beside(file).write_text("mine", "utf-8")
    with staged_beside(file, None, force=True):
        pass
    assert beside(file).read_text("utf-8") == "mine"


@pytest.mark.parametrize("text", [TEXT, None])
def test_a_folder_gets_a_new_record_or_none(tmp_path: Path, text: str | None) -> None:
    base = write_pipeline(tmp_path / "in")
    (base / NAME).write_text(f"{MARK}0}}", "utf-8")
    checkpoint = open_checkpoint(base)
    done = write(checkpoint, {}, tmp_path / "out", metadata={}, record=lambda: text)
    assert open_checkpoint(tmp_path / "out").record() == text
    assert (tmp_path / "out" / NAME in done.files) is (text is not None)
    write(checkpoint, {}, tmp_path / "copy", metadata={})
    assert contents(tmp_path / "copy") == contents(base)


def test_a_record_that_cannot_be_made_stops_the_output(tmp_path: Path) -> None:
    def fail() -> str:
        raise KeyError

    file = write_file(tmp_path / "m.safetensors", {"a": ("F32", (4,))})
    for base, out in ((file, "o.safetensors"), (write_pipeline(tmp_path / "in"), "o")):
        with pytest.raises(KeyError):
            write(open_checkpoint(base), {}, tmp_path / out, metadata={}, record=fail)
        assert not (tmp_path / out).exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_link_finds_the_record_of_the_file_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    file = write_file(tmp_path / "far" / "m.safetensors", {"a": ("F32", (4,))})
    link = tmp_path / "l.safetensors"
    link.symlink_to(file)
    assert open_checkpoint(link).record() is None
    beside(file).write_text(TEXT, "utf-8")
    assert open_checkpoint(link).record() == TEXT
