"""Other formats under a safetensors name are recognised, and valid files never are."""

from __future__ import annotations

import pickle

import pytest

from surgery.store.disguise import recognise
from tests.store.build import file_bytes


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n  <html lang=en>", "web page"),
        (b"<?xml version='1.0'?><Error/>", "web page"),
        (b'{"error":"Repository not found"}', "JSON"),
        (b'{\n  "error": 1}', "JSON"),
        (b"PK\x03\x04\x00\x00\x08\x08archive/data.pkl", "zip archive"),
        (pickle.dumps({"a": 1}, protocol=2), "pickle"),
        (pickle.dumps({"a": 1}, protocol=4), "pickle"),
        (b"GGUF\x03\x00\x00\x00", "GGUF"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x93NUMPY\x01\x00", "numpy"),
    ],
)
def test_the_real_format_is_said(head: bytes, says: str) -> None:
    found = recognise(head)
    assert found is not None
    assert says in found[0]
    assert found[1]


@pytest.mark.parametrize("head", [b"", b"\0", b"random bytes", file_bytes({"a": ("F32", (2,))})])
def test_what_is_not_known_is_not_guessed(head: bytes) -> None:
    assert recognise(head) is None


def test_a_header_length_that_looks_like_a_pickle_is_none() -> None:
    assert recognise((0x0480).to_bytes(8, "little") + b"{" + b" " * 20) is None
