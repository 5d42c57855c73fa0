"""GGUF files made byte by byte: a header and no weights worth the name."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def number(code: str, value: float) -> bytes:
    return struct.pack(f"<{code}", value)


def text(value: str) -> bytes:
    return number("Q", len(value.encode())) + value.encode()


def entry(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + number("I", kind) + value


def tensor(name: str, shape: Sequence[int], kind: int) -> bytes:
    sizes = b"".join(number("Q", size) for size in shape)
    return text(name) + number("I", len(shape)) + sizes + number("I", kind) + number("Q", 0)


def body(entries: Sequence[bytes], tensors: Sequence[bytes]) -> bytes:
    counts = number("Q", len(tensors)) + number("Q", len(entries))
    return b"GGUF" + number("I", 3) + counts + b"".join([*entries, *tensors])


def gguf() -> bytes:
    """A file as stable-diffusion.cpp and ComfyUI-GGUF write them."""
    words = number("I", 8) + number("Q", 3) + text("a") + text("b") + text("\x1b[31m")
    entries = [
        entry("general.architecture", 8, text("flux")),
        entry("general.file_type", 4, number("I", 14)),
        entry("tokens", 9, words),
    ]
    return body(entries, [tensor("a.weight", (256, 2), 12), tensor("b", (4,), 30)]) + bytes(512)
