"""An edit in place changes what it was asked to, refuses what others share, and can be undone."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from surgery.errors import CheckpointError, EditError, OutputError, SurgeryError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.inplace import check_in_place, edit_in_place
from surgery.store.journal import read_state
from surgery.store.marker import place_markers
from surgery.store.restore import undo
from surgery.store.writer import write
from tests.store.build import contents, names, write_file, write_pipeline, write_shards

BIG = {f"t{number}": ("F32", (64, 64)) for number in range(4)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_file(tmp_path / "in" / "m.safetensors", BIG, {"license": "mit"})


def inverted(path: Path, *which: str) -> dict[str, bytes]:
    """The tensors asked for, every bit turned."""
    checkpoint = open_checkpoint(path)
    return {name: bytes(255 - byte for byte in checkpoint[name].read()) for name in which}


def test_the_edited_file_is_what_a_written_copy_would_be(model: Path, tmp_path: Path) -> None:
    changes = inverted(model, "t1", "t3")
    checkpoint = open_checkpoint(model)
    calls = {name: (lambda new=new: new) for name, new in changes.items()}
    write(checkpoint, calls, tmp_path / "copy", metadata={})
    before = model.stat()
    edited = edit_in_place(checkpoint, changes, tmp_path / "undo")
    assert model.read_bytes() == (tmp_path / "copy").read_bytes()
    assert (edited.bytes_changed, edited.files) == (2 * 64 * 64 * 4, (model,))
    assert edited.undo_file == tmp_path / "undo"
    assert model.stat().st_ino == before.st_ino
    assert names(model.parent) == ["m.safetensors"]
    assert read_state(tmp_path / "undo") == "done"


def test_undo_gives_every_bit_back_and_may_be_repeated(model: Path, tmp_path: Path) -> None:
    before = model.read_bytes()
    edit_in_place(open_checkpoint(model), inverted(model, "t1"), tmp_path / "undo")
    done = undo(tmp_path / "undo")
    assert (done.found, done.bytes_restored, done.files) == ("edited", 64 * 64 * 4, (model,))
    assert model.read_bytes() == before
    again = undo(tmp_path / "undo")
    assert (again.found, again.bytes_restored) == ("not edited", 0)
    assert model.read_bytes() == before
    assert names(model.parent) == ["m.safetensors"]


def test_edits_are_undone_one_after_the_other_and_not_out_of_turn(
    model: Path, tmp_path: Path
) -> None:
    before = model.read_bytes()
    edit_in_place(open_checkpoint(model), inverted(model, "t1"), tmp_path / "first")
    edit_in_place(open_checkpoint(model), {"t1": bytes(64 * 64 * 4)}, tmp_path / "second")
    now = model.read_bytes()
    with pytest.raises(CheckpointError, match="neither the old nor the new bytes"):
        undo(tmp_path / "first")
    assert model.read_bytes() == now
    undo(tmp_path / "second")
    undo(tmp_path / "first")
    assert model.read_bytes() == before


def test_a_few_rows_cost_a_few_rows(model: Path, tmp_path: Path) -> None:
    old = open_checkpoint(model)["t2"].read()
    new = old[:100] + bytes([old[100] ^ 1]) + old[101:]
    edited = edit_in_place(open_checkpoint(model), {"t2": new}, tmp_path / "undo")
    assert edited.bytes_changed == 4096
    assert (tmp_path / "undo").stat().st_size < 6000
    assert open_checkpoint(model)["t2"].read() == new
    undo(tmp_path / "undo")
    assert open_checkpoint(model)["t2"].read() == old


def test_values_that_are_there_already_leave_no_undo_file(model: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(model)
    edited = edit_in_place(checkpoint, {"t0": checkpoint["t0"].read()}, tmp_path / "undo")
    assert (edited.undo_file, edited.bytes_changed, edited.files) == (None, 0, ())
    assert names(tmp_path) == ["in"]


def test_a_folder_is_edited_in_each_of_its_files(tmp_path: Path) -> None:
    root = write_pipeline(tmp_path / "sd")
    before = contents(root)
    changes = inverted(root, "text_encoder/out.weight", "unet/a.bias", "unet/b.weight")
    edited = edit_in_place(open_checkpoint(root), changes, tmp_path / "undo")
    assert len(edited.files) == 3
    after = contents(root)
    assert {name for name in before if before[name] != after[name]} == {
        path.relative_to(root).as_posix() for path in edited.files
    }
    assert {name: open_checkpoint(root)[name].read() for name in changes} == changes
    root.rename(tmp_path / "moved")
    with pytest.raises(CheckpointError, match="cannot be read"):
        undo(tmp_path / "undo")
    undo(tmp_path / "undo", tmp_path / "moved")
    assert contents(tmp_path / "moved") == before


def test_shards_are_edited_and_undone_through_their_index(tmp_path: Path) -> None:
    index = write_shards(tmp_path / "in", "model")
    before = contents(tmp_path / "in")
    edit_in_place(open_checkpoint(index), inverted(index, "a.bias", "b.weight"), tmp_path / "undo")
    assert contents(tmp_path / "in") != before
    undo(tmp_path / "undo", index)
    assert contents(tmp_path / "in") == before


def test_a_moved_file_is_undone_where_it_is_now(model: Path, tmp_path: Path) -> None:
    before = model.read_bytes()
    edit_in_place(open_checkpoint(model), inverted(model, "t1"), tmp_path / "undo")
    moved = model.rename(tmp_path / "elsewhere.safetensors")
    undo(tmp_path / "undo", moved)
    assert moved.read_bytes() == before


def test_a_link_stays_a_link_and_its_target_is_edited(model: Path, tmp_path: Path) -> None:
    before = model.read_bytes()
    link = tmp_path / "link.safetensors"
    link.symlink_to(model)
    edit_in_place(open_checkpoint(link), inverted(link, "t1"), tmp_path / "undo")
    assert link.is_symlink()
    assert model.read_bytes() != before
    undo(tmp_path / "undo", link)
    assert model.read_bytes() == before


def refused(model: Path, undo_file: Path, **options: bool) -> str:
    """What the check says, which must leave everything as it is."""
    before = contents(model.parent)
    with pytest.raises(SurgeryError) as caught:
        edit_in_place(open_checkpoint(model), inverted(model, "t1"), undo_file, **options)
    assert contents(model.parent) == before
    return str(caught.value)


@pytest.mark.parametrize("linked", [False, True])
def test_what_lies_in_the_hub_cache_is_refused(linked: bool, model: Path, tmp_path: Path) -> None:
    blob = tmp_path / "hub" / "models--org--name" / "blobs" / ("0" * 64)
    blob.parent.mkdir(parents=True)
    model.rename(blob)
    place = blob
    if linked:
        place = tmp_path / "hub" / "models--org--name" / "snapshots" / "abc" / "m.safetensors"
        place.parent.mkdir(parents=True)
        place.symlink_to(blob)
    assert "Hub's cache" in refused(place, tmp_path / "undo", force=True)
    far = tmp_path / "far.safetensors"
    far.symlink_to(place)
    with pytest.raises(OutputError, match="Hub's cache"):
        check_in_place(open_checkpoint(far), ["t1"], tmp_path / "undo")


def test_a_file_with_two_names_needs_force(model: Path, tmp_path: Path) -> None:
    os.link(model, tmp_path / "twin")
    assert "2 names" in refused(model, tmp_path / "undo")
    edit_in_place(open_checkpoint(model), inverted(model, "t1"), tmp_path / "undo", force=True)
    assert (tmp_path / "twin").read_bytes() == model.read_bytes()


def test_a_read_only_file_is_refused(model: Path, tmp_path: Path) -> None:
    model.chmod(0o444)
    assert "read-only" in refused(model, tmp_path / "undo")


def test_the_built_in_model_is_refused(tmp_path: Path) -> None:
    checkpoint = open_checkpoint("atelier")
    with pytest.raises(OutputError, match="built-in model is never"):
        check_in_place(checkpoint, list(checkpoint)[:1], tmp_path / "undo")


def test_an_undo_file_that_exists_is_never_replaced(model: Path, tmp_path: Path) -> None:
    (tmp_path / "undo").write_bytes(b"mine")
    assert "exists already" in refused(model, tmp_path / "undo", force=True)
    assert (tmp_path / "undo").read_bytes() == b"mine"
    edit_in_place(open_checkpoint(model), inverted(model, "t1"), tmp_path / "first")
    assert "can undo an earlier edit" in refused(model, tmp_path / "first", force=True)
    undo(tmp_path / "first")
    assert "has been used" in refused(model, tmp_path / "first")


def test_an_undo_file_never_lies_in_the_model_folder(tmp_path: Path) -> None:
    root = write_pipeline(tmp_path / "sd")
    with pytest.raises(OutputError, match="inside it"):
        check_in_place(open_checkpoint(root), ["unet/a.bias"], root / "undo")


def test_a_change_of_another_length_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EditError, match="has 3 bytes"):
        edit_in_place(open_checkpoint(model), {"t1": b"abc"}, tmp_path / "undo")
    assert names(tmp_path) == ["in"]


def test_a_file_that_changed_since_it_was_opened_is_refused(model: Path, tmp_path: Path) -> None:
    checkpoint, changes = open_checkpoint(model), inverted(model, "t1")
    os.utime(model, ns=(1, 1))
    with pytest.raises(CheckpointError, match="changed while"):
        edit_in_place(checkpoint, changes, tmp_path / "undo")
    assert names(tmp_path) == ["in"]


def test_an_open_edit_is_told_to_whoever_opens_the_model(model: Path, tmp_path: Path) -> None:
    edit_in_place(open_checkpoint(model), inverted(model, "t1"), tmp_path / "undo")
    # A marker whose edit is closed can only be left by a power loss; it stops nobody.
    place_markers([model], tmp_path / "undo")
    edit_in_place(open_checkpoint(model), inverted(model, "t2"), tmp_path / "second")
    assert names(model.parent) == ["m.safetensors"]
    place_markers([model], tmp_path / "gone")
    with pytest.raises(CheckpointError, match=r"its undo file .*gone is gone"):
        open_checkpoint(model)


CALLS = ("open", "posix_fallocate", "pwrite", "fsync", "fdatasync", "symlink", "unlink", "rename")


class Failing:
    """Fails call number `nth` to `original`, and every later one too when it `stays`."""

    def __init__(self, original: Callable[..., object], nth: int, *, stays: bool) -> None:
        self.original, self.nth, self.stays, self.count = original, nth, stays, 0

    def __call__(self, *arguments: object, **options: object) -> object:
        self.count += 1
        if self.count == self.nth or (self.stays and self.count > self.nth):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self.original(*arguments, **options)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("stays", [False, True])
def test_after_a_failing_call_the_file_is_old_or_new_or_undo_mends_it(
    call: str, stays: bool, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, original, nth = model.read_bytes(), getattr(os, call), 0
    changes = inverted(model, "t0", "t2")
    reached = True
    while reached:
        nth += 1
        undo_file, told = tmp_path / f"undo{nth}", ""
        failing = Failing(original, nth, stays=stays)
        monkeypatch.setattr(os, call, failing)
        try:
            edit_in_place(open_checkpoint(model), changes, undo_file)
        except SurgeryError as error:
            told = str(error)
        reached = failing.count >= nth
        monkeypatch.setattr(os, call, original)
        assert not told or undo_file.exists() == (model.read_bytes() != old) or stays
        if undo_file.exists():
            undo(undo_file)
        assert model.read_bytes() == old
        assert names(model.parent) == ["m.safetensors"]
        assert stays or not [name for name in names(tmp_path) if name.startswith(".")]
        assert nth < 60
    assert nth > 1 or call == "rename"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interrupted_edit_takes_itself_back(
    error: type[BaseException], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, original = model.read_bytes(), os.fdatasync

    def interrupted(descriptor: int) -> None:
        monkeypatch.setattr(os, "fdatasync", original)
        raise error

    monkeypatch.setattr(os, "fdatasync", interrupted)
    with pytest.raises(error):
        edit_in_place(open_checkpoint(model), inverted(model, "t1"), tmp_path / "undo")
    assert model.read_bytes() == old
    assert names(tmp_path) == ["in"]
    assert names(model.parent) == ["m.safetensors"]
