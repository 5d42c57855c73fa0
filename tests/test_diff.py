from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from surgery.diff import diff
from surgery.errors import CheckpointError
from surgery.report import DiffReport, TensorChange
from surgery.store import compare as compare_bytes
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.dduf import records, write_dduf
from tests.helpers.pipelines import write_single
from tests.helpers.tiny import write_pipeline
from tests.store.build import entry, framed, write_file

Tensors = dict[str, np.ndarray]


def compare(folder: Path, before: Tensors, after: Tensors) -> DiffReport:
    paths = folder / "before.safetensors", folder / "after.safetensors"
    save_file(before, paths[0])
    save_file(after, paths[1])
    return diff(open_checkpoint(paths[0]), open_checkpoint(paths[1]))


def only(report: DiffReport) -> TensorChange:
    assert len(report.changes) == 1
    return report.changes[0]


def weights(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def test_equal_files_are_the_same(tmp_path: Path) -> None:
    report = compare(tmp_path, {"a": weights(3, 4)}, {"a": weights(3, 4)})
    assert report.same
    assert (report.identical, report.tensors) == (1, 1)


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("before.safetensors", "after.safetensors")]
    for path in paths:
        save_file({"a": weights(3, 4)}, path)
    before, after = map(open_checkpoint, paths)

    def meanwhile(compared: int) -> None:
        save_file({"a": weights(3, 4, seed=1)}, paths[1])

    with pytest.raises(CheckpointError, match="changed while it was being read"):
        diff(before, after, progress=meanwhile)


def test_nan_with_the_same_bytes_is_no_difference(tmp_path: Path) -> None:
    broken = np.full((4,), np.nan, np.float16)
    assert compare(tmp_path, {"a": broken}, {"a": broken.copy()}).same


def test_figures_of_changed_values(tmp_path: Path) -> None:
    after = weights(8, 6)
    after[2] += 0.5
    change = only(compare(tmp_path, {"a": weights(8, 6)}, {"a": after}))
    assert change.change == "values"
    assert change.changed_entries == 6
    assert change.max_abs == pytest.approx(0.5, abs=1e-6)
    expected = np.linalg.norm(after - weights(8, 6)) / np.linalg.norm(weights(8, 6))
    assert change.relative_norm == pytest.approx(expected)
    assert change.rank == 1


def test_reading_in_blocks_gives_the_same_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = weights(50, 7) + np.outer(np.arange(50), np.arange(7)).astype(np.float32)
    whole = only(compare(tmp_path, {"a": weights(50, 7)}, {"a": after}))
    monkeypatch.setattr(compare_bytes, "BLOCK", 64)
    blocks = only(compare(tmp_path, {"a": weights(50, 7)}, {"a": after}))
    assert blocks.relative_norm == pytest.approx(whole.relative_norm)
    assert (blocks.changed_entries, blocks.rank) == (whole.changed_entries, whole.rank)


def test_added_removed_and_reshaped_tensors_are_named(tmp_path: Path) -> None:
    before = {"gone": weights(2), "bent": weights(2, 3), "kept": weights(1)}
    after = {"new": weights(2), "bent": weights(3, 2), "kept": weights(1)}
    report = compare(tmp_path, before, after)
    assert {(change.name, change.change) for change in report.changes} == {
        ("gone", "removed"),
        ("bent", "shape"),
        ("new", "added"),
    }
    assert (report.identical, report.tensors) == (1, 4)


@pytest.mark.parametrize(("old", "new"), [("float32", "float16"), ("float16", "float32")])
def test_the_same_weights_in_another_type_have_no_changed_entries(
    tmp_path: Path, old: str, new: str
) -> None:
    before = weights(9, 5, dtype=old)
    after = before.astype(new)
    report = compare(tmp_path, {"a": before, "b": before}, {"a": after, "b": after})
    assert [change.changed_entries for change in report.changes] == [0, 0]
    assert report.verdict == f"same weights saved as {'F16' if new == 'float16' else 'F32'}"


def test_other_values_in_another_type_are_counted(tmp_path: Path) -> None:
    after = weights(9, 5).astype(np.float16)
    after[0, 0] += 1
    change = only(compare(tmp_path, {"a": weights(9, 5)}, {"a": after}))
    assert (change.change, change.changed_entries) == ("dtype", 1)


def test_not_finite_changes_have_no_figures(tmp_path: Path) -> None:
    after = weights(4, 4)
    after[1, 1] = np.inf
    change = only(compare(tmp_path, {"a": weights(4, 4)}, {"a": after}))
    assert change.changed_entries == 1
    assert (change.max_abs, change.relative_norm, change.rank) == (None, None, None)
    assert DiffReport.from_json(compare(tmp_path, {"a": weights(4)}, {"a": after}).to_json())


def test_whole_numbers_are_counted_without_figures(tmp_path: Path) -> None:
    change = only(compare(tmp_path, {"a": np.arange(5)}, {"a": np.arange(5) * 2}))
    assert (change.changed_entries, change.max_abs) == (4, None)


def test_scalars_and_empty_tensors_compare(tmp_path: Path) -> None:
    before = {"scalar": np.array(1, np.float32), "empty": np.zeros((0, 3), np.float16)}
    after = {"scalar": np.array(2, np.float32), "empty": np.zeros((0, 3), np.float16)}
    assert only(compare(tmp_path, before, after)).name == "scalar"


def test_an_edited_folder_names_what_differs_beside_the_weights(tmp_path: Path) -> None:
    before, after = write_pipeline(tmp_path / "a"), write_pipeline(tmp_path / "b")
    (after / "unet" / "config.json").write_text("{}")
    file = after / "text_encoder" / "model.safetensors"
    tensors = load_file(file)
    name = "text_model.encoder.layers.0.self_attn.out_proj.weight"
    change = np.outer(weights(32), weights(32, seed=1))
    tensors[name] = (tensors[name] + change).astype(np.float16)
    save_file(tensors, file, metadata={"format": "pt", "surgery.version": "1"})
    report = diff(open_checkpoint(before), open_checkpoint(after))
    assert report.side_files == ("unet/config.json",)
    assert report.metadata == ("text_encoder/model.safetensors: surgery.version",)
    assert report.verdict == "one rank-1 change in the text encoder"
    assert report.identical == report.tensors - 1


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "a"))
    seen: list[int] = []
    diff(checkpoint, checkpoint, progress=seen.append)
    assert sum(seen) == sum(ref.nbytes for ref in checkpoint.values())


def test_another_order_and_other_metadata_are_said(tmp_path: Path) -> None:
    first = write_file(
        tmp_path / "a.safetensors", {"x": ("U8", (2,)), "y": ("U8", (2,))}, {"k": "1"}
    )
    second = tmp_path / "b.safetensors"
    entries = {"y": entry("U8", [2], 2, 4), "x": entry("U8", [2], 0, 2)}
    second.write_bytes(framed({"__metadata__": {"k": "2"}, **entries}, first.read_bytes()[-4:]))
    report = diff(open_checkpoint(first), open_checkpoint(second))
    assert report.same and report.reordered
    assert report.verdict == "every tensor is bit-identical, in another order; metadata differs"


def test_a_changed_tensor_has_its_site_its_norm_and_its_block(tmp_path: Path) -> None:
    before, after = write_pipeline(tmp_path / "a"), write_pipeline(tmp_path / "b")
    file = after / "text_encoder" / "model.safetensors"
    tensors = load_file(file)
    name = "text_model.encoder.layers.1.self_attn.out_proj.weight"
    old = tensors[name]
    tensors[name] = (old * 2).astype(np.float16)
    save_file(tensors, file)
    report = diff(open_checkpoint(before), open_checkpoint(after))
    change = only(report)
    (site,) = change.sites
    assert (site.site, site.relative_norm) == ("text.self_attn.out[1]", change.relative_norm)
    assert change.norm == pytest.approx(float(np.linalg.norm(old.astype(np.float64))))
    (block,) = report.blocks
    assert block.block == "text_encoder/text_model.encoder.layers.1"
    assert block.relative_norm == pytest.approx(1.0)
    assert DiffReport.from_json(report.to_json()) == report


def test_rows_that_a_shared_tensor_keeps_for_a_site_have_their_own_figures(tmp_path: Path) -> None:
    path = write_single("sd2", tmp_path / "a.safetensors")
    tensors = load_file(path)
    name = "cond_stage_model.model.transformer.resblocks.1.attn.in_proj_weight"
    width = len(tensors[name]) // 3
    new = tensors[name].copy()
    new[:width] *= 2
    new[2 * width, 0] += 1
    save_file({**tensors, name: new}, tmp_path / "b.safetensors")
    report = diff(open_checkpoint(path), open_checkpoint(tmp_path / "b.safetensors"))
    change = only(report)
    queries, values = change.sites
    assert (queries.site, values.site) == ("text.self_attn.q[1]", "text.self_attn.v[1]")
    assert queries.relative_norm == pytest.approx(1.0)
    old = np.linalg.norm(tensors[name][2 * width :].astype(np.float64))
    assert values.relative_norm == pytest.approx(1 / old, rel=1e-5)
    assert (values.rank, values.max_abs) == (1, pytest.approx(1.0))
    assert change.relative_norm is not None
    assert change.relative_norm < 1.0
    assert DiffReport.from_json(report.to_json()) == report


def test_a_dduf_file_is_compared_record_by_record(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "model")
    inside = records(folder)
    same = open_checkpoint(write_dduf(tmp_path / "same.dduf", inside))
    assert diff(open_checkpoint(folder), same).same
    inside["scheduler/scheduler_config.json"] += b"\n"
    other = open_checkpoint(write_dduf(tmp_path / "other.dduf", inside))
    assert diff(same, other).side_files == ("scheduler/scheduler_config.json",)
