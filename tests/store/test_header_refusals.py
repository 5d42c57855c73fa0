"""Malformed headers, one by one: each is refused with a sentence that names the file and why."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.store.header import read_header
from tests.store.build import entry, framed

F = entry("F32", [1], 0, 4)


def one(**fields: object) -> bytes:
    return framed({"t": F | fields}, bytes(4))


def text(body: str, data: int = 4) -> bytes:
    return framed(body, bytes(data))


T = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
AS_INT = '{"dtype":"I32","shape":[1],"data_offsets":[0,4]}'

CASES: dict[str, tuple[bytes, str]] = {
    "empty file": (b"", "empty"),
    "one byte": (b"\0", "only 1 bytes"),
    "seven bytes": (bytes(7), "only 7 bytes"),
    "length only": (bytes(8), "claims 0 bytes"),
    "zero length, data follows": (bytes(16), "claims 0 bytes"),
    "length one": (framed(b"{"), "claims 1 bytes"),
    "length beyond file": ((100).to_bytes(8, "little") + b"{}", "claims 100 bytes"),
    "length 2^64-1": (b"\xff" * 8 + b"{}", "claims 18446744073709551615"),
    "truncated header": (one()[:30], "has only 30"),
    "truncated data": (one()[:-1], "cut short"),
    "trailing byte": (one() + b"x", "1 bytes follow"),
    "data without tensors": (text("{}"), "4 bytes follow"),
    "leading space": (text(" {}", 0), "does not start"),
    "byte order mark": (framed(b"\xef\xbb\xbf{}"), "does not start"),
    "a list": (text("[]", 0), "does not start"),
    "a string": (text('"abc"', 0), "does not start"),
    "UTF-16": (framed("{}".encode("utf-16-le")), "not valid JSON"),
    "bad UTF-8": (framed(b'{"\xff":1}'), "UTF-8"),
    "overlong UTF-8": (framed(b'{"\xc0\xaf":1}'), "UTF-8"),
    "encoded surrogate": (framed(b'{"\xed\xa0\x80":1}'), "UTF-8"),
    "lone surrogate name": (text('{"\\ud800":' + T + "}"), "surrogate"),
    "lone surrogate metadata": (text('{"__metadata__":{"a":"\\udfff"}}', 0), "surrogate"),
    "lone surrogate in unknown field": (text(f'{{"t":{T[:-1]},"x":"\\udfff"}}}}'), "surrogate"),
    "NUL in name": (text('{"a\\u0000":' + T + "}"), "NUL"),
    "raw NUL in name": (framed(b'{"a\0":1}'), "not valid JSON"),
    "NUL padding": (framed(b"{}\0\0\0\0"), "not valid JSON"),
    "NUL in metadata": (text('{"__metadata__":{"a":"\\u0000"}}', 0), "NUL"),
    "control character in name": (framed(b'{"a\n":1}'), "not valid JSON"),
    "two objects": (text("{}{}", 0), "not valid JSON"),
    "unclosed": (text('{"t":' + T), "not valid JSON"),
    "trailing comma": (text('{"t":' + T + ",}"), "not valid JSON"),
    "comment": (text("{/**/}", 0), "not valid JSON"),
    "single quotes": (text("{'t':1}", 0), "not valid JSON"),
    "deep list": (text('{"t":' + "[" * 100_000 + "]" * 100_000 + "}", 0), "nested too deeply"),
    "deep object": (text('{"t":' * 100_000 + "1" + "}" * 100_000, 0), "nested too deeply"),
    "deep metadata": (text('{"__metadata__":' + '{"a":' * 90_000, 0), "nested too deeply"),
    "name twice": (text(f'{{"t":{T},"t":{AS_INT}}}'), "'t' occurs twice"),
    "name twice, alike": (text(f'{{"t":{T},"t":{T}}}'), "'t' occurs twice"),
    "name twice, escaped": (text(f'{{"t":{T},"\\u0074":{AS_INT}}}'), "'t' occurs twice"),
    "slash escaped": (text(f'{{"a/b":{T},"a\\/b":{T}}}'), "'a/b' occurs twice"),
    "field twice": (text('{"t":{"dtype":"F32",' + T[1:] + "}"), "'dtype' occurs twice"),
    "field twice, escaped": (
        text('{"t":{"shap\\u0065":[1],' + T[1:] + "}"),
        "'shape' occurs twice",
    ),
    "metadata twice": (text('{"__metadata__":{},"__metadata__":{}}', 0), "occurs twice"),
    "metadata key twice": (
        text('{"__metadata__":{"license":"mit","license":"agpl"}}', 0),
        "'license' occurs twice",
    ),
    "metadata is a list": (text('{"__metadata__":[]}', 0), "not an object of texts"),
    "metadata is text": (text('{"__metadata__":"x"}', 0), "not an object of texts"),
    "metadata number": (text('{"__metadata__":{"a":1}}', 0), "holds int at 'a'"),
    "metadata null": (text('{"__metadata__":{"a":null}}', 0), "holds NoneType at 'a'"),
    "metadata object": (text('{"__metadata__":{"a":{}}}', 0), "holds dict at 'a'"),
    "metadata bool": (text('{"__metadata__":{"a":true}}', 0), "holds bool at 'a'"),
    "entry is null": (text('{"t":null}', 0), "not an object"),
    "entry is a list": (text('{"t":[]}', 0), "not an object"),
    "entry is empty": (text('{"t":{}}', 0), "has no dtype"),
    "no shape": (text('{"t":{"dtype":"F32","data_offsets":[0,4]}}'), "has no shape"),
    "no offsets": (text('{"t":{"dtype":"F32","shape":[1]}}'), "has no data_offsets"),
    "unknown dtype": (one(dtype="F31"), "unknown dtype 'F31'"),
    "lower-case dtype": (one(dtype="f32"), "the nearest is F32"),
    "dtype number": (one(dtype=32), "dtype is int"),
    "dtype null": (one(dtype=None), "dtype is NoneType"),
    "shape number": (one(shape=1), "shape is not a list"),
    "shape text": (one(shape="1"), "shape is not a list"),
    "shape of text": (one(shape=["1"]), "shape holds '1'"),
    "shape negative": (one(shape=[-1]), "shape holds '-1'"),
    "shape float": (one(shape=[1.0]), "shape holds '1.0'"),
    "shape exponent": (text('{"t":' + T.replace("[1]", "[1e0]") + "}"), "shape holds '1.0'"),
    "shape bool": (one(shape=[True]), "shape holds 'True'"),
    "shape null": (one(shape=[None]), "shape holds 'None'"),
    "shape minus zero": (text('{"t":' + T.replace("[1]", "[-0]") + "}"), "shape holds '-0.0'"),
    "shape NaN": (text('{"t":' + T.replace("[1]", "[NaN]") + "}"), "NaN is not JSON"),
    "shape nested": (one(shape=[[1]]), "shape holds"),
    "shape too large": (one(shape=[3]), "needs 12 bytes, data_offsets give 4"),
    "shape too small": (one(shape=[0]), "needs 0 bytes, data_offsets give 4"),
    "shape overflow": (one(shape=[2**32, 2**32]), "overflows"),
    "shape overflow to zero": (one(shape=[2**33, 2**31]), "overflows"),
    "overflow before zero": (one(shape=[2**62, 2**62, 0], data_offsets=[0, 0]), "overflows"),
    "overflow after zero": (one(shape=[0, 2**62, 2**62], data_offsets=[0, 0]), "overflows"),
    "dimension 2^63": (one(shape=[2**63]), "not a whole number"),
    "dimension of 5000 digits": (text('{"t":{"shape":[' + "9" * 5000 + "]}}"), "not valid JSON"),
    "offsets number": (one(data_offsets=4), "data_offsets is not a list"),
    "one offset": (one(data_offsets=[0]), "is no range"),
    "three offsets": (one(data_offsets=[0, 4, 4]), "is no range"),
    "no offset": (one(data_offsets=[]), "is no range"),
    "reversed": (one(data_offsets=[4, 0]), "is no range"),
    "negative offset": (one(data_offsets=[-4, 0]), "data_offsets holds '-4'"),
    "float offset": (one(data_offsets=[0, 4.0]), "data_offsets holds '4.0'"),
    "bool offset": (one(data_offsets=[False, 4]), "data_offsets holds 'False'"),
    "text offset": (one(data_offsets=["0", 4]), "data_offsets holds '0'"),
    "minus zero offset": (text('{"t":' + T.replace("[0,", "[-0,") + "}"), "holds '-0.0'"),
    "infinite offset": (text('{"t":' + T.replace("0,4", "0,1e999") + "}"), "holds 'inf'"),
    "offset past 2^63": (one(data_offsets=[0, 2**64]), "not a whole number"),
    "past the end": (framed({"t": entry("F32", [2], 0, 8)}, bytes(4)), "tensors need 8 bytes"),
    "hole at the start": (framed({"t": entry("F32", [1], 4, 8)}, bytes(8)), "leaves a hole"),
    "hole in the middle": (
        framed({"t": F, "u": entry("F32", [1], 8, 12)}, bytes(12)),
        "leaves a hole",
    ),
    "overlap": (framed({"t": F, "u": entry("F32", [1], 2, 6)}, bytes(6)), "overlaps"),
    "same range": (framed({"t": F, "u": F}, bytes(4)), "overlaps"),
    "empty tensor inside another": (
        framed({"t": F, "u": entry("F32", [0], 2, 2)}, bytes(4)),
        "overlaps",
    ),
    "empty tensor past the end": (
        framed({"t": F, "u": entry("F32", [0], 9, 9)}, bytes(4)),
        "leaves a hole",
    ),
    "half a byte": (framed({"t": entry("F4", [3], 0, 2)}, bytes(2)), "does not fill whole bytes"),
    "six bits": (framed({"t": entry("F6_E2M3", [1], 0, 1)}, bytes(1)), "fill whole bytes"),
    "F4 counted as bytes": (framed({"t": entry("F4", [4], 0, 4)}, bytes(4)), "needs 2 bytes"),
    "Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
    "web page": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "JSON error": (b'{"error":"Invalid username or password."}', "JSON text"),
    "short JSON": (b'{"a":1}', "JSON text"),
    "zip": (b"PK\x03\x04" + bytes(100), "zip archive"),
    "pickle": (pickle.dumps(list(range(100))), "pickle"),
    "GGUF": (b"GGUF\x03\0\0\0" + bytes(100), "GGUF"),
}


@pytest.mark.parametrize(("raw", "says"), CASES.values(), ids=CASES.keys())
def test_is_refused(raw: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(raw)
    with pytest.raises(CheckpointError) as caught:
        read_header(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < len(str(path)) + 300


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 100


def test_a_hostile_name_is_shown_escaped(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(framed({"\x1b[2J\u202e": entry("F31", [1], 0, 4)}, bytes(4)))
    with pytest.raises(CheckpointError) as caught:
        read_header(path)
    assert "\\u001b[2J\\u202e" in str(caught.value)
    assert str(caught.value).isprintable()
