"""Mutated inputs: never read more laxly than by the reference, and only our errors come out."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize

from surgery.errors import CheckpointError, SurgeryError
from surgery.recipe import load_recipe
from surgery.recipe_text import read_yaml, write_yaml
from surgery.store.address import locate, on_hub
from surgery.store.entries import DTYPE_BITS
from surgery.store.header import Header, parse_header, with_metadata
from tests.store.build import file_bytes, framed

# FUZZ_EXAMPLES=100000 makes a night's work of it, another one each time.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
QUICK = settings(
    max_examples=EXAMPLES or 150, deadline=None, derandomize=not EXAMPLES, database=None
)

names = st.text(max_size=6) | st.sampled_from(["a", "t", "__metadata__", "\\u0074", "é"])
numbers = st.integers(-2, 12) | st.sampled_from(
    [2**31, 2**62, 2**63, 2**64, 0.0, 1.5, None, "1", True]
)
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from([*DTYPE_BITS, "f32", "", 1]),
        "shape": st.lists(numbers, max_size=3) | st.none(),
        "data_offsets": st.lists(numbers, min_size=1, max_size=3),
    },
    optional={"note": st.none() | names},
)
metadata = st.none() | st.dictionaries(names, names | st.integers() | st.none(), max_size=3)
headers = st.dictionaries(names, entries | metadata | st.integers(), max_size=4)


def accepted(raw: bytes) -> Header | None:
    try:
        return parse_header(raw, len(raw), "x.safetensors")
    except CheckpointError:
        return None


def assert_not_laxer(raw: bytes) -> None:
    """What is accepted here means the same to the reference reader."""
    header = accepted(raw)
    if header is None:
        return
    try:
        reference = dict(deserialize(raw))
    except SafetensorError as error:
        raise AssertionError(f"the reference refuses what is accepted here: {error}") from error
    assert {entry.name for entry in header.entries} == set(reference)
    for entry in header.entries:
        theirs = reference[entry.name]
        assert list(entry.shape) == theirs["shape"]
        start = header.data_start + entry.begin
        assert bytes(theirs["data"]) == raw[start : start + entry.nbytes]
    longer = with_metadata(header, {"surgery.fuzz": "é"}) + raw[header.data_start :]
    again = accepted(longer)
    assert again is not None and again.metadata == header.metadata | {"surgery.fuzz": "é"}


@QUICK
@given(headers, st.integers(0, 40))
def test_invented_headers_are_never_read_more_laxly_than_by_the_reference(
    header: dict[str, object], data: int
) -> None:
    assert_not_laxer(framed(json.dumps(header), bytes(range(data))))


shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)
valid = st.dictionaries(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6).filter(
        lambda name: name != "__metadata__"
    ),
    st.tuples(st.sampled_from([d for d in DTYPE_BITS if DTYPE_BITS[d] >= 8]), shapes),
    max_size=4,
)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


@QUICK
@given(valid, st.none() | st.dictionaries(words, words, max_size=3), st.integers(0, 9))
def test_every_valid_file_is_accepted(
    tensors: dict[str, tuple[str, tuple[int, ...]]], metadata: dict[str, str] | None, pad: int
) -> None:
    raw = file_bytes(tensors, metadata, pad)
    assert accepted(raw) is not None
    assert_not_laxer(raw)


GOOD = file_bytes(
    {"a": ("F32", (2,)), "b\\u00e9": ("F16", (3, 2)), "": ("I64", ()), "e": ("U8", (0, 4))},
    {"format": "pt", "k": "v"},
)
edits = st.lists(
    st.tuples(
        st.integers(0, len(GOOD)),
        st.integers(0, 3),
        st.binary(max_size=3) | st.sampled_from([b'"', b"{", b"}", b"[", b"]", b",", b"-0", b"1"]),
    ),
    min_size=1,
    max_size=4,
)


@QUICK
@given(edits, st.booleans())
def test_mutated_files_are_never_read_more_laxly_than_by_the_reference(
    changes: list[tuple[int, int, bytes]], mend: bool
) -> None:
    raw = bytearray(GOOD)
    for at, removed, added in changes:
        raw[at : at + removed] = added
    if mend and len(raw) > 8:
        # With the length made right again, the change is met by the JSON reader.
        end = raw.rfind(b"}") + 1
        raw[:8] = struct.pack("<Q", max(end - 8, 0))
    assert_not_laxer(bytes(raw))


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_as_a_header_end_in_our_error(raw: bytes) -> None:
    assert_not_laxer(raw)
    assert_not_laxer(framed(raw))


RECIPE = "version: 1\nname: x\nedits:\n  - method: quickfix\n    concepts: [{erase: van gogh}]\n"
PIECES = """&a |*a|!!str |<<: |- |? |: |[|]|{|}|  |'|"|#|.nan|.inf|1e999|0x|\\u|null|true|1:30"""
tokens = st.sampled_from(
    [*PIECES.split("|"), "|\n", ">\n", "\n", "%YAML 1.2\n", "---\n", "...\n", "9" * 30, "\t"]
) | st.sampled_from(["\0", "\x1b", "\u2028", "\ufeff", "é"])


@QUICK
@given(st.lists(st.tuples(st.integers(0, len(RECIPE)), tokens), min_size=1, max_size=4))
def test_mutated_recipes_end_in_a_recipe_or_our_error(changes: list[tuple[int, str]]) -> None:
    text = RECIPE
    for at, added in changes:
        text = text[:at] + added + text[at:]
    only_ours(lambda: load_recipe(text + "\n"))


@QUICK
@given(st.lists(tokens | st.text(max_size=4), max_size=12).map("".join))
def test_any_text_as_a_recipe_ends_in_our_error(text: str) -> None:
    only_ours(lambda: load_recipe(f"{text}\n"))
    only_ours(lambda: read_yaml(text.encode("utf-8", "surrogatepass"), "x"))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@QUICK
@given(st.dictionaries(words, plain, max_size=3))
def test_whatever_is_written_as_yaml_reads_back_the_same(value: dict[str, object]) -> None:
    assert read_yaml(write_yaml(value).encode(), "x").value == value


parts = st.sampled_from(
    ["org", "name", "/", "@", "main", "..", ".", "hf://", "https://", "\0", "\n"]
)
addresses = st.lists(parts | st.text(max_size=5), max_size=8).map("".join)


@QUICK
@given(addresses)
def test_any_text_as_an_address_is_a_place_or_our_error(address: str) -> None:
    only_ours(lambda: locate_here(address))


def locate_here(address: str) -> object:
    # What is a place on the Hub would be asked of the network next.
    return on_hub(address) or locate(address)


def only_ours(call: Callable[[], object]) -> None:
    try:
        call()
    except SurgeryError as error:
        assert str(error)
