"""Valid headers are read whole and extended without touching a byte of their entries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st

from surgery.errors import CheckpointError, UsageError
from surgery.store.entries import DTYPE_BITS, TensorEntry
from surgery.store.header import (
    Header,
    build_header,
    parse_header,
    read_header,
    with_metadata,
    without_metadata,
)
from tests.store.build import entry, file_bytes, framed

NAMES = ["a.b.c", "模型.ñ", "with space", "[/]", 'quote"back\\slash', "a/b", "", "\U0001f600"]


def parse(raw: bytes) -> Header:
    return parse_header(raw, len(raw), "f")


def test_entries_come_in_the_order_of_the_file_with_metadata_apart() -> None:
    header = {
        "b": entry("F32", [1], 4, 8),
        "__metadata__": {"format": "pt"},
        "a": entry("F32", [], 0, 4),
    }
    found = parse(framed(header, bytes(8)))
    assert [each.name for each in found.entries] == ["b", "a"]
    assert found.metadata == {"format": "pt"}
    assert found.entries[1] == TensorEntry("a", "F32", (), 0, 4)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_kept(name: str) -> None:
    assert parse(file_bytes({name: ("I8", (3,))})).entries[0].name == name


@pytest.mark.parametrize(
    "raw",
    [
        framed("{}"),
        framed("{}      "),
        framed("{}\n\t\r "),
        framed('{"__metadata__":{}}'),
        framed('{"__metadata__":null}'),
        framed({"a": entry("F32", [0], 0, 0), "b": entry("F32", [0, 7], 0, 0)}),
        framed({"z": entry("F32", [0], 4, 4), "a": entry("F32", [1], 0, 4)}, bytes(4)),
        framed({"a": entry("F32", [1] * 64, 0, 4)}, bytes(4)),
        framed({"a": entry("F4", [2], 0, 1) | {"later": [1.5, None]}}, bytes(1)),
        file_bytes({"x": ("U8", (1,)), "y": ("F64", (1,))}, {"k": "v\n"}, pad=3),
    ],
)
def test_odd_but_clear_headers_are_read_as_the_reference_reader_does(raw: bytes) -> None:
    expected = {name: (each["dtype"], each["shape"]) for name, each in safetensors.deserialize(raw)}
    found = parse(raw)
    assert {each.name: (each.dtype, list(each.shape)) for each in found.entries} == expected
    assert found.raw == raw[: found.data_start]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{ "a" : {"dtype":"F32","shape":[1],"data_offsets":[0,4]} }',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"k":"\\u00e9"}}   ',
        '{"__metadata__":null,"\\u0061":{"shape":[1],"dtype":"F32","data_offsets":[0, 4]}}',
        '{"__metadata__" : { } ,"a":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}}\n\n',
        '{"__metadata__":{"surgery.recipe":"old","x":"1"}}',
    ],
)
def test_added_metadata_leaves_every_entry_as_text(text: str) -> None:
    data = bytes(4 if "dtype" in text else 0)
    before = parse(framed(text, data))
    raw = with_metadata(before, {"surgery.recipe": 'a "recipe"\n'})
    after = parse_header(raw, len(raw) + len(data), "f")
    assert after.entries == before.entries
    assert after.metadata == before.metadata | {"surgery.recipe": 'a "recipe"\n'}
    assert after.data_start % 8 == 0
    for part in text.split('"__metadata__"')[0].strip("{} \n").split("},"):
        assert part.strip(", ").encode() in raw
    safetensors.deserialize(raw + data)


def test_padding_absorbs_the_addition_so_that_data_stays_where_it_is() -> None:
    text = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(200)
    header = parse(framed(text, bytes(4)))
    assert len(with_metadata(header, {"surgery.x": "y"})) == header.data_start
    assert len(with_metadata(header, {"surgery.x": "y" * 300})) > header.data_start


@given(st.text(max_size=9000), st.integers(0, 100))
def test_data_that_has_to_move_moves_by_whole_blocks(value: str, padding: int) -> None:
    value = value.replace("\0", "")
    header = parse(
        framed('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'.ljust(56 + 8 * padding))
    )
    raw = with_metadata(header, {"surgery.x": value})
    moved = len(raw) - header.data_start
    text = len(raw.rstrip(b" "))
    assert moved % 4096 == 0
    assert 0 <= moved < max(1, text - header.data_start + 4096)
    assert parse(raw).metadata == {"surgery.x": value}


def test_nothing_added_gives_the_same_bytes() -> None:
    header = parse(file_bytes({"a": ("F32", (1,))}, {"k": "v"}, pad=5))
    assert with_metadata(header, {}) == header.raw


@pytest.mark.parametrize("added", [{"license": "mit"}, {"surgery.x": "\ud800"}, {"surgery.\0": ""}])
def test_metadata_that_must_not_be_added_is_refused(added: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        with_metadata(parse(framed("{}")), added)


def test_a_built_header_is_read_back_and_by_the_reference_reader() -> None:
    entries = [TensorEntry(name, "U8", (3,), 3 * at, 3 * at + 3) for at, name in enumerate(NAMES)]
    raw = build_header(entries, {"format": "pt"})
    found = parse_header(raw, len(raw) + 3 * len(NAMES), "f")
    assert list(found.entries) == entries
    assert found.data_start % 8 == 0
    assert len(safetensors.deserialize(raw + bytes(3 * len(NAMES)))) == len(NAMES)


def test_the_header_limit_is_25_megabytes_and_can_be_raised(tmp_path: Path) -> None:
    path = tmp_path / "big.safetensors"
    path.write_bytes(framed("{}".ljust(25_000_001)))
    with pytest.raises(CheckpointError, match=r"25\.0 MB"):
        read_header(path)
    assert read_header(path, max_header=30_000_000).entries == ()


def test_a_header_length_far_beyond_the_file_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lie.safetensors"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(CheckpointError, match="claims 9223372036854775808 bytes"):
        read_header(path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_fuzzed_headers_are_read_or_refused_and_never_more_laxly(data: st.DataObject) -> None:
    base = bytearray(file_bytes({"a": ("F32", (2,)), "b.c": ("F4", (4, 2))}, {"k": "v"}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(base) - 1))
        new = data.draw(
            st.sampled_from([b"0", b"-", b'"', b"}", b",", b"\\u0061", b"\xff", b"1e1"])
        )
        base[at : at + data.draw(st.integers(0, 3))] = new
    check_against_reference(bytes(base))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "__metadata__"]),
        st.fixed_dictionaries(
            {
                "dtype": st.sampled_from([*DTYPE_BITS, "F99"]) | JSON,
                "shape": st.lists(st.integers(-1, 4), max_size=3) | JSON,
                "data_offsets": st.lists(st.integers(-1, 16), min_size=2, max_size=2) | JSON,
            }
        )
        | JSON,
    ),
    st.integers(0, 32),
)
def test_fuzzed_fields_are_read_or_refused_and_never_more_laxly(
    content: dict[str, object], size: int
) -> None:
    check_against_reference(framed(json.dumps(content), bytes(size)))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    check_against_reference(raw)
    check_against_reference(framed(raw))


def check_against_reference(raw: bytes) -> None:
    try:
        found = parse_header(raw, len(raw), "f")
    except CheckpointError as error:
        assert "\n" not in str(error)
        return
    expected = {name: (each["dtype"], each["shape"]) for name, each in safetensors.deserialize(raw)}
    assert {each.name: (each.dtype, list(each.shape)) for each in found.entries} == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        '{ "__metadata__" : { "x" : "1" , "y":"\\u00e9" } , "a":{"dtype":"F32","shape":[1],'
        '"data_offsets":[0,4]}}   ',
        '{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
    ],
)
def test_metadata_that_was_added_can_be_taken_out_again(text: str) -> None:
    before = parse(framed(text, bytes(4)))
    added = {"surgery.recipe": "r", "surgery.base": "b"}
    longer = with_metadata(before, added)
    raw = without_metadata(parse_header(longer, len(longer) + 4, "f"), [*added, "none"])
    after = parse_header(raw, len(raw) + 4, "f")
    assert (after.metadata, after.entries) == (before.metadata, before.entries)
    assert len(raw) == len(longer)
    assert without_metadata(before, added) == before.raw
    safetensors.deserialize(raw + bytes(4))
