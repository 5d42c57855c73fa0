"""Whatever a checkpoint comes in: no edits reproduce it, an edit rewrites one file of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from surgery.apply import apply
from surgery.store.checkpoint import open_checkpoint
from surgery.store.entries import DTYPE_BITS
from tests.helpers.eighths import to_eighths
from tests.helpers.recipes import nothing, recipe
from tests.helpers.tiny import write_pipeline
from tests.store.build import contents, file_bytes, write_file, write_json, write_shards

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"
EVERY = {f"t.{dtype}": (dtype, (4, 2)) for dtype in DTYPE_BITS}
VARIANTS = (
    "diffusion_pytorch_model.safetensors.index.fp16.json",
    "diffusion_pytorch_model.safetensors.fp16.index.json",
)


def same(before: Path, after: Path) -> bool:
    report = apply(nothing(), open_checkpoint(before), after)
    return report.plan.identity and contents(after) == contents(before)


@pytest.mark.parametrize("dtype", DTYPE_BITS)
def test_no_edits_reproduce_a_file_of_any_type(tmp_path: Path, dtype: str) -> None:
    tensors = {"b": (dtype, (4, 2)), "a": (dtype, (8,)), "c": ("U8", (1,))}
    assert same(write_file(tmp_path / "in", tensors, {"k": "v"}), tmp_path / "out")


def test_no_edits_reproduce_a_file_of_all_types_with_odd_padding(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(file_bytes(EVERY, {"k": "v"}, pad=5))
    assert same(tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize("index", VARIANTS)
def test_no_edits_reproduce_variants_in_both_spellings(tmp_path: Path, index: str) -> None:
    folder = tmp_path / "in"
    write_json(folder / "config.json", {})
    names = [f"diffusion_pytorch_model.fp16-0000{n}-of-00002.safetensors" for n in (1, 2)]
    for number, name in enumerate(names):
        write_file(folder / name, {f"{number}.{key}": spec for key, spec in EVERY.items()})
    shards = {f"{number}.{key}": names[number] for number in (0, 1) for key in EVERY}
    write_json(folder / index, {"weight_map": shards})
    assert len(open_checkpoint(folder)) == 2 * len(EVERY)
    assert same(folder, tmp_path / "out")


def test_no_edits_reproduce_what_an_index_names(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    index = write_shards(tmp_path / "in", "model")
    apply(nothing(), open_checkpoint(index), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


def test_no_edits_reproduce_8_bit_floats_with_their_scales(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "in")
    to_eighths(folder / "text_encoder" / "model.safetensors", "scale_weight")
    assert same(folder, tmp_path / "out")


def shard(folder: Path) -> None:
    """Split the text encoder into three shards."""
    file = folder / "text_encoder" / "model.safetensors"
    tensors = load_file(file)
    file.unlink()
    weight_map = {}
    for number in range(3):
        name = f"model-0000{number + 1}-of-00003.safetensors"
        own = {key: tensors[key] for key in sorted(tensors)[number::3]}
        save_file(own, file.with_name(name), metadata={"format": "pt"})
        weight_map |= dict.fromkeys(own, name)
    index = file.with_name("model.safetensors.index.json")
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}), "utf-8")


@pytest.mark.parametrize("link", [False, True])
def test_only_the_shard_that_holds_the_changed_tensor_is_rewritten(
    tmp_path: Path, link: bool
) -> None:
    folder, out = write_pipeline(tmp_path / "in"), tmp_path / "out"
    shard(folder)
    checkpoint = open_checkpoint(folder)
    report = apply(recipe(), checkpoint, out, link=link)
    before, after = contents(folder), contents(out)
    changed = [name for name in before if before[name] != after[name]]
    assert changed == [checkpoint[TENSOR].file.relative_to(folder).as_posix()]
    assert after.keys() == before.keys() | {"surgery.json"}
    linked = [name for name in before if (out / name).samefile(folder / name)]
    assert sorted(linked) == sorted(set(before) - set(changed) if link else [])
    assert report.linked == len(linked)
    written = [name for name in after if name not in linked]
    assert report.bytes_written == sum((out / name).stat().st_size for name in written)


def test_links_take_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from collections import namedtuple

    from surgery.store import preflight

    folder = write_pipeline(tmp_path / "in")
    changed = (folder / "text_encoder" / "model.safetensors").stat().st_size
    usage = namedtuple("usage", "total used free")(0, 0, changed + 4096)
    monkeypatch.setattr(preflight, "disk_usage", lambda path: usage)
    assert apply(recipe(), open_checkpoint(folder), tmp_path / "out", link=True).out
