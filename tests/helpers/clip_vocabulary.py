"""CLIP's own vocabulary, read out of the library of the package that carries it.

instant-clip-tokenizer holds the merges as text inside its library; with them transformers can
build the tokenizer that the package must agree with.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.helpers.tiny import byte_letters

MERGES = 49152 - 256 - 2
FIRST = b"#version: 0.2\ni n\nt h\n"


@cache
def merges() -> list[tuple[str, str]]:
    """The merges in their order.

    Raises:
        ImportError: the package is not installed.
    """
    import instant_clip_tokenizer

    folder = Path(instant_clip_tokenizer.__file__).parent
    (library,) = [p for p in folder.iterdir() if p.suffix in {".so", ".pyd", ".dylib"}]
    data = library.read_bytes()
    lines = data[data.index(FIRST) :].split(b"\n", MERGES + 1)[1 : MERGES + 1]
    pairs = [line.decode("utf-8").split(" ") for line in lines]
    return [(left, right) for left, right in pairs]


def vocabulary() -> dict[str, int]:
    """Token -> id."""
    letters = byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges())]
    return {t: number for number, t in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
