"""JSON that two readers could understand differently is refused; where members lie is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.strict_json import load_file, load_object, members


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"a":1,"a":1}', "'a' occurs twice"),
        (b'{"t":1,"\\u0074":2}', "'t' occurs twice"),
        (b'{"x":{"y":[{"z":1,"z":2}]}}', "'z' occurs twice"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b'{"a":["\\ud83dx"]}', "surrogate"),
        (b'{"a":"\\u0000"}', "NUL"),
        (b'{"a\x00":1}', "not valid JSON"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "not valid JSON"),
        (b"[1]", "expected a JSON object, got list"),
        (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"a":' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"a":1} {}', "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b"", "not valid JSON"),
        (b'{"a":01}', "not valid JSON"),
        (b'{"a":"x\ny"}', "not valid JSON"),
    ],
)
def test_what_has_two_readings_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(CheckpointError, match=says) as caught:
        load_object(raw, "here")
    assert str(caught.value).startswith("here: ")


def test_a_whole_surrogate_pair_is_text() -> None:
    assert load_object(b'{"a":"\\ud83d\\ude00"}', "") == {"a": "\U0001f600"}


def test_minus_zero_is_told_from_zero() -> None:
    value = load_object(b'{"a":[-0,0,-3]}', "")["a"]
    assert isinstance(value, list)
    assert [type(number) for number in value] == [float, int, int]


@pytest.mark.parametrize(
    "text", ["{}", "{ }", '{"a":1}', ' { "a" : [ 1 ] ,\n"\\u0062":{"c":"}"} }']
)
def test_members_lie_where_it_is_said(text: str) -> None:
    found = members(text, text.index("{"))
    assert list(found) == list(load_object(text.encode(), ""))
    for key, (at, value_at, end) in found.items():
        assert load_object(("{" + text[at:end] + "}").encode(), "")[key] is not None
        assert text[value_at - 1] in ": "


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    assert load_file(path) == {"a": 1}
    with pytest.raises(CheckpointError, match="more than"):
        load_file(path, limit=3)
