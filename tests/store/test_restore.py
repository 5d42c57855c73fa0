"""Torn by a kill or a power loss, a file is put back; if anything else changed it, it is left."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from surgery.errors import CheckpointError, OutputError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.inplace import edit_in_place
from surgery.store.journal import mark, read_state
from surgery.store.marker import check_whole, place_markers
from surgery.store.restore import held, undo
from tests.store.build import names, write_file

TENSORS = {f"t{number}": ("F32", (64, 63)) for number in range(4)}


class Torn:
    """A model edited in place, what it was and what it became."""

    def __init__(self, folder: Path) -> None:
        self.model = write_file(folder / "in" / "m.safetensors", TENSORS)
        self.undo_file = folder / "undo"
        self.old = self.model.read_bytes()
        checkpoint, chance = open_checkpoint(self.model), random.Random(1)
        changes = {name: chance.randbytes(checkpoint[name].nbytes) for name in ("t1", "t3")}
        edit_in_place(checkpoint, changes, self.undo_file)
        self.new = self.model.read_bytes()

    def leave(self, content: bytes) -> None:
        """Make it what a kill leaves: these bytes, the edit open."""
        self.model.write_bytes(content)
        mark(self.undo_file, "unfinished")
        place_markers([self.model], self.undo_file)


@pytest.fixture
def torn(tmp_path: Path) -> Torn:
    return Torn(tmp_path)


def test_a_file_cut_anywhere_between_old_and_new_is_noticed_and_put_back(torn: Torn) -> None:
    chance = random.Random(2)
    for cut in [0, len(torn.old), *(chance.randrange(len(torn.old)) for _ in range(20))]:
        torn.leave(torn.new[:cut] + torn.old[cut:])
        with pytest.raises(CheckpointError, match=r"surgery undo .*undo"):
            open_checkpoint(torn.model)
        undo(torn.undo_file)
        assert torn.model.read_bytes() == torn.old
        assert read_state(torn.undo_file) == "undone"
        assert names(torn.model.parent) == ["m.safetensors"]


def test_sectors_written_in_any_order_are_put_back(torn: Torn) -> None:
    chance = random.Random(4)
    for _ in range(20):
        mixed = b"".join(
            chance.choice((torn.old, torn.new))[at : at + 512]
            for at in range(0, len(torn.old), 512)
        )
        torn.leave(mixed)
        assert undo(torn.undo_file).found in ("half edited", "edited", "not edited")
        assert torn.model.read_bytes() == torn.old


def test_a_change_by_something_else_is_refused_and_left_alone(torn: Torn) -> None:
    at = torn.model.stat().st_size - 100
    foreign = bytearray(torn.new)
    foreign[at] ^= 1
    torn.model.write_bytes(foreign)
    with pytest.raises(CheckpointError, match=r"1 of .* hold neither"):
        undo(torn.undo_file)
    foreign[at - 600] ^= 1
    torn.leave(bytes(foreign))
    with pytest.raises(CheckpointError, match=r"2 of .* hold neither"):
        undo(torn.undo_file)
    assert torn.model.read_bytes() == foreign


@pytest.mark.parametrize("how", ["another header", "another length", "another file"])
def test_another_file_is_refused(how: str, torn: Torn) -> None:
    if how == "another header":
        wrong = torn.new.replace(b'"t0"', b'"tx"', 1)
    elif how == "another length":
        wrong = torn.new + b"x"
    else:
        wrong = bytes(len(torn.new))
    torn.model.write_bytes(wrong)
    with pytest.raises(CheckpointError, match="not the file"):
        undo(torn.undo_file)
    assert torn.model.read_bytes() == wrong


def test_bytes_outside_the_edit_may_have_changed_and_stay(torn: Torn) -> None:
    at = open_checkpoint(torn.model)["t0"].start
    changed = bytearray(torn.new)
    changed[at] ^= 1
    torn.model.write_bytes(changed)
    undo(torn.undo_file)
    after = bytearray(torn.old)
    after[at] ^= 1
    assert torn.model.read_bytes() == after


def test_an_undone_file_still_works_on_a_copy_that_was_edited(torn: Torn, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(torn.new)
    undo(torn.undo_file)
    assert undo(torn.undo_file, copy).found == "edited"
    assert copy.read_bytes() == torn.old
    check_whole(copy)


def test_two_edits_of_one_file_never_meet(torn: Torn) -> None:
    with (
        held([torn.model]),
        pytest.raises(OutputError, match="another process is editing"),
        held([torn.model]),
    ):
        pass
