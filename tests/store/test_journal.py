from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError, OutputError
from surgery.store.journal import (
    MAGIC,
    EditedFile,
    Journal,
    mark,
    read_journal,
    read_state,
    write_journal,
)
from surgery.store.spans import differing
from tests.store.build import names

OLD, NEW = bytes(3000), bytes([7]) * 3000


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    spans = tuple(span for span, _ in differing(77, OLD, NEW))
    first = EditedFile("unet/a\udcff.safetensors", 9999, "ab" * 32, 70, spans)
    return Journal(tmp_path / "model", (first, EditedFile("b", 88, "cd" * 32, 8, ())))


def test_what_is_written_reads_back_and_its_size_is_known_before(
    journal: Journal, tmp_path: Path
) -> None:
    write_journal(tmp_path / "undo", journal)
    assert read_journal(tmp_path / "undo") == (journal, "unfinished")
    assert (tmp_path / "undo").stat().st_size == journal.stored_bytes
    assert journal.nbytes == 3000
    assert names(tmp_path) == ["undo"]


@pytest.mark.parametrize("state", ["done", "undone", "unfinished"])
def test_a_mark_changes_the_state_alone(state: str, journal: Journal, tmp_path: Path) -> None:
    write_journal(tmp_path / "undo", journal)
    mark(tmp_path / "undo", state)  # type: ignore[arg-type]
    assert read_journal(tmp_path / "undo") == (journal, state)


def test_a_mark_that_was_cut_reads_as_unfinished(journal: Journal, tmp_path: Path) -> None:
    write_journal(tmp_path / "undo", journal)
    raw = (tmp_path / "undo").read_bytes()
    (tmp_path / "undo").write_bytes(raw[:-8] + b"doen    ")
    assert read_state(tmp_path / "undo") == "unfinished"


def test_an_existing_file_is_not_replaced(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "undo").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        write_journal(tmp_path / "undo", journal)
    assert (tmp_path / "undo").read_bytes() == b"mine"


def test_every_flipped_bit_and_every_cut_is_noticed(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "undo"
    write_journal(path, journal)
    raw = path.read_bytes()
    for at in range(0, len(raw) - 8, 61):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :])
        with pytest.raises(CheckpointError, match="undo file"):
            read_journal(path)
    for length in (0, 5, len(MAGIC), 60, len(raw) - 1):
        path.write_bytes(raw[:length])
        with pytest.raises(CheckpointError):
            read_journal(path)


def test_a_name_never_leads_out_of_the_model(tmp_path: Path) -> None:
    for number, name in enumerate(("../x", "/x", "a/../../x", "a//b")):
        path = tmp_path / str(number)
        write_journal(path, Journal(tmp_path, (EditedFile(name, 1, "", 0, ()),)))
        with pytest.raises(CheckpointError, match="damaged"):
            read_journal(path)
