"""Applying gives what the edit wrote, undoing what there was before: whole files, byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.errors import CheckpointError, OutputError
from surgery.patches import apply_patch, from_models, read_patch, undo_patch, write_patch
from surgery.patches.use import How
from surgery.recipe import load_recipe
from surgery.store.checkpoint import open_checkpoint
from surgery.store.header import parse_header, read_header
from tests.helpers.dduf import records, write_dduf
from tests.helpers.tiny import write_pipeline
from tests.patches.samples import NAME, one_change, weight, write_model
from tests.store.build import contents

RECIPE = """
version: 1
name: sample
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: painting, kind: style}]
    preserve: [monet]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("models") / "folder")


def as_folder(folder: Path, place: Path) -> Path:
    return folder


def as_archive(folder: Path, place: Path) -> Path:
    return write_dduf(place / "m.dduf", records(folder))


def as_edited(folder: Path, place: Path) -> Path:
    """A model that was edited before: its metadata tells of another recipe."""
    report = apply(load_recipe(RECIPE), open_checkpoint(folder), place / "first")
    assert report.out
    return place / "first"


MODELS = [as_folder, as_archive, as_edited]


@pytest.mark.parametrize("make", MODELS)
def test_a_recipe_a_patch_and_the_way_back_give_the_same_bytes(
    make: Callable[[Path, Path], Path], folder: Path, tmp_path: Path
) -> None:
    base = make(folder, tmp_path)
    ending = base.suffix
    kept = tmp_path / "p.safetensors"
    out = tmp_path / f"out{ending}"
    report = apply(load_recipe(RECIPE), open_checkpoint(base), out, save_patch=kept)
    assert (report.patch, report.patch_bytes) == (str(kept), kept.stat().st_size)
    patch = read_patch(kept)
    again = apply_patch(patch, open_checkpoint(base), tmp_path / f"again{ending}")
    assert contents(tmp_path / f"again{ending}") == contents(out)
    undone = undo_patch(patch, open_checkpoint(out), tmp_path / f"undone{ending}")
    assert contents(tmp_path / f"undone{ending}") == contents(base) or ending == ".dduf"
    assert again.exact
    assert undone.exact is (ending != ".dduf")
    before, after = open_checkpoint(base), open_checkpoint(tmp_path / f"undone{ending}")
    assert all(after[name].read() == ref.read() for name, ref in before.items())
    assert [header.raw for header in after.headers.values()] == [
        header.raw for header in before.headers.values()
    ]


def test_a_patch_alone_is_the_one_made_beside_a_model(folder: Path, tmp_path: Path) -> None:
    recipe, base = load_recipe(RECIPE), open_checkpoint(folder)
    alone, beside = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    report = apply(recipe, base, save_patch=alone)
    assert report.out is None
    apply(recipe, base, tmp_path / "out", save_patch=beside)
    assert alone.read_bytes() == beside.read_bytes()
    dry = apply(recipe, base, save_patch=tmp_path / "c.safetensors", dry_run=True)
    assert dry.patch is None
    assert not (tmp_path / "c.safetensors").exists()


def test_a_single_file_comes_back_with_its_own_padding_and_metadata(tmp_path: Path) -> None:
    base, patch = one_change(tmp_path / "m.safetensors", "BF16")
    apply_patch(patch, base, tmp_path / "out.safetensors")
    patched = open_checkpoint(tmp_path / "out.safetensors")
    assert read_header(tmp_path / "out.safetensors").metadata["surgery.recipe"] == patch.recipe
    undo_patch(patch, patched, tmp_path / "undone.safetensors")
    original = (tmp_path / "m.safetensors").read_bytes()
    assert (tmp_path / "undone.safetensors").read_bytes() == original


def test_a_made_patch_gives_the_second_model_and_the_first(folder: Path, tmp_path: Path) -> None:
    apply(load_recipe(RECIPE), open_checkpoint(folder), tmp_path / "second")
    first, second = open_checkpoint(folder), open_checkpoint(tmp_path / "second")
    write_patch(from_models(first, second), tmp_path / "p.safetensors")
    patch = read_patch(tmp_path / "p.safetensors")
    assert apply_patch(patch, first, tmp_path / "there").exact
    assert undo_patch(patch, second, tmp_path / "back").exact
    assert contents(tmp_path / "there") == contents(tmp_path / "second")
    assert contents(tmp_path / "back") == contents(folder)


def test_a_copy_with_another_header_gets_the_same_tensors_and_loses_them_again(
    tmp_path: Path,
) -> None:
    _, patch = one_change(tmp_path / "m.safetensors", "F32")
    tensors = {"other": ("F32", weight((5,))), NAME: ("F32", weight())}
    write_model(tmp_path / "resaved.safetensors", tensors, {"format": "pt", "by": "another"})
    base = open_checkpoint(tmp_path / "resaved.safetensors")
    report = apply_patch(patch, base, tmp_path / "out.safetensors")
    assert not report.exact
    patched = open_checkpoint(tmp_path / "out.safetensors")
    found = patched.metadata["out.safetensors"]
    assert {"format", "by", "surgery.recipe"} <= found.keys()
    report = undo_patch(patch, patched, tmp_path / "undone.safetensors")
    assert not report.exact
    undone = open_checkpoint(tmp_path / "undone.safetensors")
    assert undone.metadata["undone.safetensors"] == {"format": "pt", "by": "another"}
    assert undone[NAME].read() == base[NAME].read()


def test_models_laid_out_otherwise_exchange_tensors_but_no_headers(tmp_path: Path) -> None:
    one = {"a": ("F32", weight()), "b": ("F32", weight((5,)))}
    write_model(tmp_path / "one.safetensors", one)
    write_model(tmp_path / "two.safetensors", {"b": one["b"], "a": ("F32", weight(seed=3))})
    first, second = (open_checkpoint(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    patch = from_models(first, second)
    assert not patch.headers
    assert not apply_patch(patch, first, tmp_path / "out.safetensors").exact
    out = open_checkpoint(tmp_path / "out.safetensors")
    assert out["a"].read() == second["a"].read()
    assert not out.metadata["out.safetensors"]


def test_nothing_is_written_for_a_wrong_model_a_dry_run_or_over_something(
    folder: Path, tmp_path: Path
) -> None:
    base, patch = one_change(tmp_path / "m.safetensors", "F16")
    out = tmp_path / "out.safetensors"
    assert apply_patch(patch, base, None).out is None
    with pytest.raises(CheckpointError, match="another model"):
        apply_patch(patch, open_checkpoint(folder), tmp_path / "wrong")
    with pytest.raises(OutputError, match="an input"):
        apply_patch(patch, base, base.root, How(force=True))
    out.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists already"):
        apply_patch(patch, base, out)
    assert out.read_bytes() == b"precious"
    assert {each.name for each in tmp_path.iterdir()} == {"m.safetensors", "out.safetensors"}
    assert apply_patch(patch, base, out, How(force=True)).out


def test_progress_counts_every_byte_and_links_are_counted(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "base")
    base = open_checkpoint(tmp_path / "base")
    apply(load_recipe(RECIPE), base, save_patch=tmp_path / "p.safetensors")
    seen: list[int] = []
    patch = read_patch(tmp_path / "p.safetensors")
    report = apply_patch(patch, base, tmp_path / "out", How(link=True, on_bytes=seen.append))
    assert report.linked > 3
    assert report.bytes_written < sum(seen)
    raw = read_header(tmp_path / "out" / "text_encoder" / "model.safetensors").raw
    assert parse_header(raw, (tmp_path / "out/text_encoder/model.safetensors").stat().st_size, "")
