"""What a file that is no safetensors file really is, by its first bytes. Nothing is decoded."""

from __future__ import annotations

_PICKLE = "a pickle, which can run code when it is loaded"
_CONVERT = "convert it to safetensors where it came from, or get the .safetensors file"
_AGAIN = "download it again"
GGUF = "a GGUF file, which cannot be edited", "`surgery inspect` shows what is in it"

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer; the weights themselves were never downloaded",
        "run `git lfs pull`",
    ),
    (b"PK\x03\x04", "a zip archive, such as a PyTorch or a DDUF file by another name", _CONVERT),
    (b"GGUF", *GGUF),
    (b"\x1f\x8b", "gzip-compressed data", "unpack it first"),
    (b"\x89HDF\r\n", "an HDF5 file", _CONVERT),
    (b"\x93NUMPY", "a numpy array file", _CONVERT),
)


def recognise(head: bytes) -> tuple[str, str] | None:
    """Return (what the file is, what to do) when its first bytes show another format, else None."""
    for magic, what, hint in _MAGIC:
        if head.startswith(magic):
            return what, hint
    if len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5 and head[8:9] != b"{":
        return _PICKLE, _CONVERT
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page saved under this name", _AGAIN
    if text.startswith((b'{"', b"{ ", b"{\n", b"{\r")):
        return "JSON text, perhaps an error reply saved under this name", _AGAIN
    return None
