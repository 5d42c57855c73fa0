from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgery.errors import RecipeError
from surgery.recipe_text import core_scalar, field_path, read_yaml, write_yaml


def read(text: str) -> object:
    return read_yaml(text.encode(), "r.yaml").value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("2026-11-20", "2026-11-20"),
        ("1_000", "1_000"),
        ("1e-3", 1e-3),
        ("-.5", -0.5),
        ("4.", 4.0),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("+", "+"),
        ("e3", "e3"),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert core_scalar(text) == value
    assert type(core_scalar(text)) is type(value)


def test_quoted_scalars_stay_text() -> None:
    assert read("a: '1'\nb: \"true\"\nc: |\n  12\n") == {"a": "1", "b": "true", "c": "12\n"}


def test_every_field_has_its_line() -> None:
    located = read_yaml(b"# note\na:\n  - x\n  - {b: 1,\n     c: 2}\n", "r.yaml")
    assert located.at(("a", 1, "c")) == "r.yaml:5: a[1].c"
    assert located.at(("a", 0)) == "r.yaml:3: a[0]"


def test_a_field_that_is_not_there_has_the_line_of_its_parent() -> None:
    located = read_yaml(b"\na:\n  b: 1\n", "r.yaml")
    assert located.at(("a", "missing")) == "r.yaml:2: a.missing"


def test_field_paths_show_control_characters() -> None:
    assert "\x1b" not in field_path(("a", "\x1b[31m"))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: &x 1\n", 1, "anchor"),
        ("\na: [1, *x]\n", 2, "alias"),
        ("a: 1\n<<: {b: 2}\n", 2, "merge"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        ("a: !x 1\n", 1, "tag"),
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ('a: 1\n"\\u0061": 3\n', 2, "twice"),
        ("? [a, b]\n: 1\n", 1, "plain text"),
        ("%YAML 1.1\n---\na: 1\n", 1, "directive"),
        ("a: 1\n...\n%TAG ! x\n---\na: 1\n", 3, "directive"),
        ("a: 1\n---\nb: 2\n", 2, "several documents"),
        ("a: [1\nb: 2\n", 2, "not valid YAML"),
        ("a: 'x\n", 2, "not valid YAML"),
        ('a: "\\ud800"\n', 1, "surrogate"),
    ],
)
def test_refuses_with_the_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(RecipeError, match=reason) as caught:
        read(text)
    assert str(caught.value).startswith(f"r.yaml:{line}: ")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"# only a comment\n",
        "a: b".encode("utf-16"),
        b"a: \xff\xfe",
        b"a: \x00",
        b"a: \x1b[31m",
        b"a" * 1_000_001,
        b"[" * 20_000,
        b"{a: " * 20_000,
        b"- " * 20_000,
        b"- a\n" * 249_000,
        b"a: [" + b"x," * 400_000,
        b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
        b"%YAML 1." + b"9" * 900_000,
        b"%a\n" * 300_000,
        b"a: !" + b"a" * 900_000,
        b"a: &" + b"a" * 900_000,
        b"a: *" + b"a" * 900_000,
        b"a: |\n" + b"\n" * 900_000,
        b'a: "' + b"x\n " * 300_000,
        b"\t- a",
        b"a: b: c",
    ],
)
def test_refuses_bombs_and_junk_within_a_second_and_few_words(raw: bytes) -> None:
    start = time.process_time()
    with pytest.raises(RecipeError, match=r"r\.yaml") as caught:
        read_yaml(raw, "r.yaml")
    assert time.process_time() - start < 1
    assert len(str(caught.value)) < 300


def test_a_megabyte_of_words_is_read_up_to_its_last() -> None:
    text = "a: " + "word " * 199_000
    assert read(f"{text}\nb: 1\n") == {"a": text[3:].rstrip(), "b": 1}


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: 1\n", "r.yaml").value == {"a": 1}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(VALUES)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert read(write_yaml({"value": value})) == {"value": value}


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=60))
def test_any_bytes_read_or_raise_a_recipe_error(raw: bytes) -> None:
    try:
        read_yaml(raw, "r.yaml")
    except RecipeError as error:
        assert "\x1b" not in str(error)
