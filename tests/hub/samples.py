"""Recipes, a small file, and what a refusal must look like, for the tests of the Hub."""

from __future__ import annotations

from tests.hub.client import TOKEN, Done
from tests.store.build import file_bytes

EDIT = """
version: 1
name: edit
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: painting, kind: style}]
    preserve: [monet, seurat]
expect: {untouched: bit_identical}
"""
COPY = "version: 1\nname: copy\nedits: []\n"
SMALL = file_bytes({"a.weight": ("F16", (300, 40)), "b": ("F32", (7,))})


def refusal(done: Done, code: int = 4) -> str:
    """The one line of a refusal."""
    lines = [line for line in done.err.splitlines() if "trying again" not in line]
    assert done.code == code, done
    assert len(lines) == 1, done.err
    assert TOKEN not in done.out + done.err
    return lines[0]
