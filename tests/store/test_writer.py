"""Every untouched byte stays, in every dtype and form; only what was asked for changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import safetensors

from surgery.errors import CheckpointError, EditError, OutputError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.entries import DTYPE_BITS
from surgery.store.header import read_header, with_metadata
from surgery.store.writer import write
from tests.store.build import (
    contents,
    entry,
    file_bytes,
    framed,
    names,
    write_file,
    write_json,
    write_pipeline,
    write_shards,
)

ALL = {f"t.{dtype}": (dtype, (4, 2)) for dtype in DTYPE_BITS}
ODD: dict[str, bytes] = {
    "every dtype": file_bytes(ALL, {"format": "pt"}),
    "odd alignment": file_bytes({"a": ("U8", (1,)), "b": ("F64", (3,)), "c": ("I8", (1,))}, pad=3),
    "zero-dimensional": file_bytes({"a": ("F32", ()), "b": ("BOOL", ())}),
    "empty tensors": file_bytes({"a": ("F32", (0,)), "b": ("U8", (2,)), "c": ("F16", (3, 0))}),
    "only empty tensors": file_bytes({"a": ("F32", (0,))}),
    "no tensors": framed("{}"),
    "metadata only": framed('{"__metadata__":{"a":"b"}}'),
    "null metadata": framed('{"__metadata__":null}'),
    "names": file_bytes(dict.fromkeys(["a.b.c", "模型", "", "[/]", "a/b", "🎨"], ("U8", (1,)))),
    "reversed order": framed(
        {"z": entry("U8", [1], 2, 3), "a": entry("U8", [1], 1, 2), "m": entry("U8", [1], 0, 1)},
        b"123",
    ),
    "spaced text": framed('{ "a" :\n{"shape":[1],"data_offsets":[0, 1],"dtype":"U8"} }\t \n', b"x"),
    "escaped name": framed('{"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "unknown field": framed({"a": entry("U8", [1], 0, 1) | {"scale": 0.5}}, b"x"),
    "NaN and Inf": framed({"a": entry("F16", [3], 0, 6)}, b"\x01\x7e\x00\x7c\x00\xfc"),
    "half a megabyte": file_bytes({f"t{n}": ("F16", (511, 33)) for n in range(16)}, {"k": "v"}),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_file(tmp_path / "in" / "m.safetensors", ALL, {"license": "mit"})


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_editing_nothing_gives_the_same_bytes(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(raw)
    written = write(open_checkpoint(tmp_path / "in"), {}, tmp_path / "out", metadata={})
    assert (tmp_path / "out").read_bytes() == raw
    assert (written.path, written.bytes_written) == (tmp_path / "out", len(raw))
    assert written.files == (tmp_path / "out",)
    assert names(tmp_path) == ["in", "out"]


def test_metadata_alone_changes_nothing(source: Path, tmp_path: Path) -> None:
    write(open_checkpoint(source), {}, tmp_path / "out", metadata={"surgery.recipe": "x"})
    assert (tmp_path / "out").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_each_tensor_can_be_changed_alone(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(raw)
    checkpoint = open_checkpoint(tmp_path / "in")
    for name in list(checkpoint)[:22]:
        new = bytes(255 - byte for byte in checkpoint[name].read())
        write(
            checkpoint,
            {name: lambda new=new: new},
            tmp_path / "out",
            metadata={"surgery.by": "test"},
            force=True,
        )
        check_only(name, new, tmp_path / "in", tmp_path / "out")


def check_only(name: str, new: bytes, before: Path, after: Path) -> None:
    old = {key: each for key, each in safetensors.deserialize(before.read_bytes())}
    now = {key: each for key, each in safetensors.deserialize(after.read_bytes())}
    assert {key for key in old if old[key] != now[key]} <= {name}
    assert bytes(now[name]["data"]) == new
    first, second = read_header(before), read_header(after)
    assert second.entries == first.entries
    assert second.metadata == first.metadata | {"surgery.by": "test"}
    assert second.data_start % 8 == 0


def test_a_change_without_metadata_keeps_the_header(source: Path, tmp_path: Path) -> None:
    write(open_checkpoint(source), {"t.F32": lambda: bytes(32)}, tmp_path / "out", metadata={})
    assert read_header(tmp_path / "out").raw == read_header(source).raw


def test_changes_are_asked_for_once_in_the_order_of_the_file(source: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(source)
    asked: list[str] = []

    def make(name: str) -> bytes:
        asked.append(name)
        return checkpoint[name].read()

    changes = {name: (lambda name=name: make(name)) for name in reversed(list(checkpoint))}
    write(checkpoint, changes, tmp_path / "out", metadata={})
    assert asked == list(checkpoint)
    assert (tmp_path / "out").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("count", [0, 31, 33])
def test_a_change_of_another_length_is_refused(count: int, source: Path, tmp_path: Path) -> None:
    changes = {"t.F32": lambda: bytes(count)}
    with pytest.raises(EditError, match=rf"m\.safetensors:t\.F32: the new value has {count} bytes"):
        write(open_checkpoint(source), changes, tmp_path / "out", metadata={})
    assert names(tmp_path) == ["in"]


def test_a_change_of_no_tensor_names_the_nearest(source: Path, tmp_path: Path) -> None:
    with pytest.raises(EditError, match=r"no tensor 't\.F23'.*nearest is 't\.F32'"):
        write(open_checkpoint(source), {"t.F23": bytes}, tmp_path / "out", metadata={})


def test_progress_adds_up_to_the_bytes_written(source: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    changes = {"t.F32": lambda: bytes(32)}
    written = write(
        open_checkpoint(source),
        changes,
        tmp_path / "out",
        metadata={"surgery.x": "y"},
        on_bytes=seen.append,
    )
    assert sum(seen) == written.bytes_written == (tmp_path / "out").stat().st_size


def test_a_folder_is_copied_whole_and_only_the_changed_file_differs(tmp_path: Path) -> None:
    root = write_pipeline(tmp_path / "sd")
    (root / "notes.bin.txt").write_bytes(b"notes")
    before = contents(root)
    checkpoint = open_checkpoint(root)
    write(checkpoint, {}, tmp_path / "same", metadata={})
    assert contents(tmp_path / "same") == before
    written = write(
        checkpoint,
        {"unet/a.bias": lambda: bytes(12)},
        tmp_path / "out",
        metadata={"surgery.x": "y"},
    )
    after = contents(tmp_path / "out")
    changed = "unet/diffusion_pytorch_model-00001-of-00002.safetensors"
    assert {name for name in before if after[name] != before[name]} == {changed}
    assert after.keys() == before.keys()
    assert read_header(tmp_path / "out" / changed).metadata == {"x": "1", "surgery.x": "y"}
    assert set(written.files) == {tmp_path / "out" / name for name in before}
    assert contents(root) == before
    assert open_checkpoint(tmp_path / "out")["unet/a.bias"].read() == bytes(12)
    assert names(tmp_path) == ["out", "same", "sd"]


def test_a_shard_index_gives_a_folder_of_shards_and_index(tmp_path: Path) -> None:
    index = write_shards(tmp_path / "in", "model")
    (tmp_path / "in" / "unrelated").touch()
    write(open_checkpoint(index), {}, tmp_path / "out", metadata={})
    expected = contents(tmp_path / "in")
    del expected["unrelated"]
    assert contents(tmp_path / "out") == expected
    assert list(open_checkpoint(tmp_path / "out" / index.name)) == [
        "a.weight",
        "a.bias",
        "b.weight",
    ]


def test_links_inside_a_folder_become_files(tmp_path: Path) -> None:
    root = write_pipeline(tmp_path / "sd")
    model = root / "text_encoder" / "model.safetensors"
    model.rename(tmp_path / "blob")
    model.symlink_to(tmp_path / "blob")
    write(open_checkpoint(root), {}, tmp_path / "out", metadata={})
    copied = tmp_path / "out" / "text_encoder" / "model.safetensors"
    assert not copied.is_symlink()
    assert copied.read_bytes() == (tmp_path / "blob").read_bytes()


def test_new_files_have_the_mode_of_the_umask(source: Path, tmp_path: Path) -> None:
    source.chmod(0o600)
    root = write_pipeline(tmp_path / "sd")
    old = os.umask(0o022)
    try:
        write(open_checkpoint(source), {}, tmp_path / "out", metadata={})
        write(open_checkpoint(root), {}, tmp_path / "folder", metadata={})
    finally:
        os.umask(old)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "folder" / "model_index.json").stat().st_mode & 0o777 == 0o644


def test_an_overwritten_target_keeps_its_mode_and_its_link(source: Path, tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "real").chmod(0o664)
    (tmp_path / "link").symlink_to("real")
    written = write(open_checkpoint(source), {}, tmp_path / "link", metadata={}, force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == source.read_bytes()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o664
    assert written.path == tmp_path / "link"


def test_a_replaced_folder_holds_nothing_of_the_old_one(tmp_path: Path) -> None:
    root = write_pipeline(tmp_path / "sd")
    write_json(tmp_path / "out" / "model_index.json", {"old": 1})
    write_json(tmp_path / "out" / "old" / "config.json", {})
    (tmp_path / "out").chmod(0o750)
    (tmp_path / "link").symlink_to("out")
    with pytest.raises(OutputError, match="exists already"):
        write(open_checkpoint(root), {}, tmp_path / "link", metadata={})
    write(open_checkpoint(root), {}, tmp_path / "link", metadata={}, force=True)
    assert contents(tmp_path / "out") == contents(root)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750
    assert names(tmp_path) == ["link", "out", "sd"]


def test_a_source_that_changed_since_it_was_opened_is_refused(source: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(source)
    os.utime(source, ns=(1, 1))
    with pytest.raises(CheckpointError, match="changed while it was being read"):
        write(checkpoint, {}, tmp_path / "out", metadata={})
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("how", ["touched", "truncated", "replaced"])
def test_a_source_that_changes_during_the_write_is_refused(
    how: str, source: Path, tmp_path: Path
) -> None:
    def change() -> bytes:
        if how == "touched":
            os.utime(source, ns=(1, 1))
        elif how == "truncated":
            os.truncate(source, 100)
        else:
            raw = source.read_bytes()
            source.unlink()
            source.write_bytes(raw)
        return bytes(32)

    with pytest.raises(CheckpointError, match=r"m\.safetensors"):
        write(open_checkpoint(source), {"t.F32": change}, tmp_path / "out", metadata={})
    assert names(tmp_path) == ["in"]


def test_a_header_may_be_given_whole_for_a_file_that_changes(source: Path, tmp_path: Path) -> None:
    head = with_metadata(read_header(source), {"surgery.by": "another"})
    changes, heads = {"t.F32": lambda: bytes(32)}, {source.name: head}
    checkpoint = open_checkpoint(source)
    write(checkpoint, changes, tmp_path / "out", metadata={"surgery.by": "me"}, heads=heads)
    assert read_header(tmp_path / "out").raw == head
    write(checkpoint, {}, tmp_path / "copy", metadata={}, heads=heads)
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
