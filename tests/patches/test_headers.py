from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.patches.headers import changed_files, header_change, with_change
from surgery.store.checkpoint import open_checkpoint
from surgery.store.header import parse_header, with_metadata
from tests.store.build import entry, file_bytes, framed, write_pipeline

ADDED = {"surgery.recipe": '{"name": "é"}', "surgery.base": "x"}
TENSOR = '"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}'
HEADERS = [
    framed({"w": entry("U8", [4], 0, 4)}),
    framed({"__metadata__": {"format": "pt"}, "w": entry("U8", [4], 0, 4)}),
    framed({"__metadata__": {"surgery.recipe": "old"}, "w": entry("U8", [4], 0, 4)}),
    framed("{" + TENSOR + "} \t\n  "),
    framed('{"__metadata__":null,' + TENSOR + "}" + " " * 500),
    framed(
        '{  "__metadata__" : { "a" : "ünï" } ,' + TENSOR + ' , "v":'
        '{"dtype":"U8","shape":[0],"data_offsets":[4,4]} }'
    ),
]


@pytest.mark.parametrize("raw", HEADERS)
def test_a_header_goes_there_and_back_byte_for_byte(raw: bytes) -> None:
    after = with_metadata(parse_header(raw, len(raw) + 4, "x"), ADDED)
    change = header_change("a", raw, after)
    assert with_change(change, raw) == after
    assert with_change(change, after, back=True) == raw
    assert len(change.old) < 60


def test_equal_headers_are_a_change_of_nothing() -> None:
    change = header_change("", HEADERS[1], HEADERS[1])
    assert with_change(change, HEADERS[1]) == HEADERS[1]


def test_another_header_is_left_alone() -> None:
    change = header_change("", HEADERS[0], HEADERS[1])
    assert with_change(change, HEADERS[2]) is None
    assert with_change(change, HEADERS[0], back=True) is None


def test_a_false_record_is_refused() -> None:
    change = header_change("", HEADERS[0], HEADERS[1])
    with pytest.raises(CheckpointError, match="the patch is damaged"):
        with_change(replace(change, new=change.new + " "), HEADERS[0])


def test_the_files_of_changed_tensors_are_found(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_pipeline(tmp_path / "p"))
    (file,) = changed_files(checkpoint, {"unet/b.weight": None})
    assert file.startswith("unet/")
    assert file.endswith("2-of-00002.safetensors")
    both = changed_files(checkpoint, {"unet/a.bias": None, "text_encoder/out.weight": None})
    assert len(both) == 2
    (tmp_path / "m.safetensors").write_bytes(file_bytes({"w": ("U8", (3,))}))
    single = open_checkpoint(tmp_path / "m.safetensors")
    assert changed_files(single, {"w": None}) == ["m.safetensors"]
