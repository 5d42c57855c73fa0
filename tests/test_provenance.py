"""What the record beside an output says, and what it must not say."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from surgery.apply import apply
from surgery.doctor import doctor
from surgery.errors import CheckpointError, OutputError
from surgery.patches import apply_patch, read_patch, undo_patch
from surgery.provenance import device_of, is_pinned, lasting_address, versions
from surgery.recipe import load_recipe
from surgery.report import Record
from surgery.store.checkpoint import open_checkpoint
from surgery.store.record import beside
from tests.helpers.pipelines import write_single
from tests.helpers.recipes import nothing, recipe
from tests.helpers.tiny import write_pipeline
from tests.store.build import contents

GATED = "expect: {leak: {max: 0.5}, untouched: bit_identical}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("base") / "my model")


def record_of(out: Path) -> Record:
    text = open_checkpoint(out).record()
    assert text is not None
    return Record.from_json(text)


def edited(base: Path, out: Path, **more: object) -> Record:
    apply(recipe(**more), open_checkpoint(base), out)  # type: ignore[arg-type]
    return record_of(out)


def test_the_record_names_recipe_base_tensors_gates_and_versions(
    folder: Path, tmp_path: Path
) -> None:
    record = edited(folder, tmp_path / "out", more=GATED)
    before, after = open_checkpoint(folder), open_checkpoint(tmp_path / "out")
    (tensor,) = record.tensors
    assert tensor.before == sha256(before[tensor.name].read()).hexdigest()
    assert tensor.after == sha256(after[tensor.name].read()).hexdigest()
    assert (record.base.fingerprint, record.base.layout) == (before.fingerprint, "sd1")
    assert load_recipe(json.dumps(record.recipe) + "\n") == recipe(more=GATED)
    assert [gate.name for gate in record.gates] == ["leak"]
    assert record.leaks
    assert record.drifts
    assert record.versions == versions(())
    assert {"surgery", "python", "numpy"} <= record.versions.keys()


def test_where_the_base_lay_is_not_told(folder: Path, tmp_path: Path) -> None:
    record = edited(folder, tmp_path / "out")
    assert record.base.address == "my model"
    assert str(folder.parent) not in record.text()
    shutil.copytree(folder, tmp_path / "my model")
    assert edited(tmp_path / "my model", tmp_path / "again").text() == record.text()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("atelier", "atelier"),
        ("/a/b/model.safetensors", "model.safetensors"),
        (f"org/name@{'a' * 40}", f"org/name@{'a' * 40}"),
        (f"hf://org/name@{'a' * 40}/m.ckpt", f"hf://org/name@{'a' * 40}/m.ckpt"),
        ("org/name@main", "name@main"),
    ],
)
def test_only_what_means_the_same_elsewhere_keeps_its_address(address: str, shown: str) -> None:
    assert lasting_address(address) == shown
    assert is_pinned(address) is ("@aaaa" in address)


def test_an_identity_gets_no_record_and_carries_an_earlier_one_as_it_is(
    folder: Path, tmp_path: Path
) -> None:
    apply(nothing(), open_checkpoint(folder), tmp_path / "copy")
    assert open_checkpoint(tmp_path / "copy").record() is None
    edited(folder, tmp_path / "out")
    apply(recipe(strength=0), open_checkpoint(tmp_path / "out"), tmp_path / "same")
    assert contents(tmp_path / "same") == contents(tmp_path / "out")


def test_a_second_edit_keeps_the_first_ones_record_and_its_patch_gives_it_back(
    folder: Path, tmp_path: Path
) -> None:
    first = edited(folder, tmp_path / "one")
    base, kept = open_checkpoint(tmp_path / "one"), tmp_path / "p.safetensors"
    apply(recipe(erase="seurat"), base, tmp_path / "two", save_patch=kept)
    second = record_of(tmp_path / "two")
    assert Record.from_json(json.dumps(second.earlier[0])) == first
    undo_patch(read_patch(kept), open_checkpoint(tmp_path / "two"), tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tmp_path / "one")


def test_a_patch_on_a_model_with_another_past_tells_both(folder: Path, tmp_path: Path) -> None:
    kept, small = tmp_path / "p.safetensors", tmp_path / "other"
    apply(recipe(), open_checkpoint(folder), save_patch=kept)
    shutil.copytree(folder, small)
    past = edited(folder, tmp_path / "one", erase="seurat")
    (small / "surgery.json").write_text(past.text(), "utf-8")
    apply_patch(read_patch(kept), open_checkpoint(small), tmp_path / "out")
    assert len(record_of(tmp_path / "out").earlier) == 1
    undo_patch(read_patch(kept), open_checkpoint(tmp_path / "out"), tmp_path / "back")
    assert record_of(tmp_path / "back") == record_of(tmp_path / "out")


def test_another_programs_file_of_that_name_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(folder, own)
    (own / "surgery.json").write_text('{"appendix": true}', "utf-8")
    with pytest.raises(CheckpointError, match=r"surgery\.json: this has the name of a record"):
        apply(recipe(), open_checkpoint(own), tmp_path / "out")
    apply(nothing(), open_checkpoint(own), tmp_path / "copy")
    assert contents(tmp_path / "copy") == contents(own)


def test_nobody_stumbles_over_a_record(folder: Path, tmp_path: Path) -> None:
    edited(folder, tmp_path / "out")
    found, known = doctor(tmp_path / "out"), doctor(folder)
    assert [one.what for one in found.findings] == [one.what for one in known.findings]


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("single") / "sd.safetensors"
    return write_single("sd1", place)


def test_a_record_lies_beside_a_single_file(one_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    report = apply(recipe(), open_checkpoint(one_file), out)
    assert [Path(file).name for file in report.files] == [out.name, beside(out).name]
    assert report.bytes_written == sum(path.stat().st_size for path in (out, beside(out)))
    assert record_of(out).base.address == "sd.safetensors"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_record_is_replaced_with_leave_and_nothing_else_is(
    one_file: Path, tmp_path: Path
) -> None:
    base, out = open_checkpoint(one_file), tmp_path / "out.safetensors"
    apply(recipe(), base, out)
    out.unlink()
    with pytest.raises(OutputError, match="exists already"):
        apply(recipe(), base, out)
    apply(recipe(), base, out, force=True)
    apply(recipe(erase="seurat"), base, out, force=True)
    assert "seurat" in record_of(out).text()
    beside(out).write_text("mine", "utf-8")
    with pytest.raises(OutputError, match="no record of surgery"):
        apply(recipe(), base, out, force=True)
    assert beside(out).read_text("utf-8") == "mine"


def test_a_patch_of_a_single_file_brings_the_record_and_takes_it_back(
    one_file: Path, tmp_path: Path
) -> None:
    out, kept = tmp_path / "out.safetensors", tmp_path / "p.safetensors"
    apply(recipe(), open_checkpoint(one_file), out, save_patch=kept)
    again, back = tmp_path / "again.safetensors", tmp_path / "back.safetensors"
    apply_patch(read_patch(kept), open_checkpoint(one_file), again)
    assert beside(again).read_bytes() == beside(out).read_bytes()
    undo_patch(read_patch(kept), open_checkpoint(again), back)
    assert back.read_bytes() == one_file.read_bytes()
    assert not beside(back).exists()


def test_what_the_model_itself_was_run_on_is_told() -> None:
    scores = SimpleNamespace(facts={"device": "cuda"})
    ran = SimpleNamespace(edit=None, context=SimpleNamespace(scores=scores))
    plain = SimpleNamespace(edit=None, context=SimpleNamespace(scores=None))
    assert device_of([plain, ran]) == "cuda"  # type: ignore[list-item]
    assert device_of([plain]) == "cpu"  # type: ignore[list-item]
    assert {"torch", "diffusers", "transformers"} <= versions([ran]).keys()  # type: ignore[list-item]
    assert "torch" not in versions([plain])  # type: ignore[list-item]
