from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.diff import diff
from surgery.errors import CheckpointError, EditError, OutputError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.record import beside
from surgery.store.writer import write
from tests.helpers.dduf import records, write_dduf
from tests.helpers.recipes import nothing, recipe
from tests.helpers.tiny import write_pipeline

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"
CHANGED = "text_encoder/model.safetensors"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_dduf(tmp_path / "m.dduf", records(write_pipeline(tmp_path / "in")))


def test_no_edits_reproduce_it_byte_for_byte(tmp_path: Path, path: Path) -> None:
    report = apply(nothing(), open_checkpoint(path), tmp_path / "out.dduf")
    assert (tmp_path / "out.dduf").read_bytes() == path.read_bytes()
    assert report.bytes_written == path.stat().st_size


def test_an_edit_changes_one_record_and_keeps_names_order_and_the_rest(
    tmp_path: Path, path: Path
) -> None:
    checkpoint, out = open_checkpoint(path), tmp_path / "out.dduf"
    report = apply(recipe(), checkpoint, out)
    (change,) = diff(checkpoint, open_checkpoint(out)).changes
    assert change.name == TENSOR
    assert report.bytes_written == sum(path.stat().st_size for path in (out, beside(out)))
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(out) as after:
        assert after.testzip() is None
        assert after.namelist() == before.namelist()
        names = [name for name in before.namelist() if before.read(name) != after.read(name)]
    assert names == [CHANGED]


def test_the_edit_is_that_of_the_folder(tmp_path: Path, path: Path) -> None:
    apply(recipe(), open_checkpoint(path), tmp_path / "out.dduf")
    apply(recipe(), open_checkpoint(tmp_path / "in"), tmp_path / "folder")
    archived, plain = open_checkpoint(tmp_path / "out.dduf"), open_checkpoint(tmp_path / "folder")
    assert archived[TENSOR].read() == plain[TENSOR].read()
    assert "surgery.recipe" in archived.metadata[CHANGED]


def test_the_hub_reads_what_was_written(tmp_path: Path, path: Path) -> None:
    from huggingface_hub import read_dduf_file

    apply(recipe(), open_checkpoint(path), tmp_path / "out.dduf")
    entries = read_dduf_file(tmp_path / "out.dduf")
    assert entries["model_index.json"].read_text().startswith("{")


def test_the_same_edit_gives_the_same_bytes(tmp_path: Path, path: Path) -> None:
    for name in ("a.dduf", "b.dduf"):
        apply(recipe(), open_checkpoint(path), tmp_path / name)
    assert (tmp_path / "a.dduf").read_bytes() == (tmp_path / "b.dduf").read_bytes()


def test_a_change_of_another_length_leaves_nothing(tmp_path: Path, path: Path) -> None:
    with pytest.raises(EditError, match="has 3 bytes"):
        write(open_checkpoint(path), {TENSOR: lambda: b"abc"}, tmp_path / "x.dduf", metadata={})
    assert sorted(item.name for item in tmp_path.iterdir()) == ["in", "m.dduf"]


def test_the_input_and_other_endings_are_no_output(tmp_path: Path, path: Path) -> None:
    checkpoint, before = open_checkpoint(path), path.read_bytes()
    with pytest.raises(OutputError, match="the output is an input"):
        write(checkpoint, {}, path, metadata={}, force=True)
    with pytest.raises(OutputError, match=r"end the name with \.dduf"):
        write(checkpoint, {}, tmp_path / "x.safetensors", metadata={})
    assert path.read_bytes() == before


def test_a_source_that_changed_is_noticed(tmp_path: Path, path: Path) -> None:
    checkpoint = open_checkpoint(path)
    path.write_bytes(path.read_bytes() + b"x")
    change = {TENSOR: lambda: bytes(checkpoint[TENSOR].nbytes)}
    with pytest.raises(CheckpointError, match="changed"):
        write(checkpoint, change, tmp_path / "x.dduf", metadata={})
