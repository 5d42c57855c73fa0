"""Folds what is too long for a column behind its dots and slashes, as names of tensors read."""

from __future__ import annotations

import re

from surgery.cli.plain import columns

_PIECE = re.compile(r"[^./ ]*[./ ]|[^./ ]+")


def folded(text: str, width: int) -> str:
    """The text in lines of at most so many columns; a word that is longer stays whole."""
    return "\n".join(line for long in text.split("\n") for line in _lines(long, width))


def _lines(text: str, width: int) -> list[str]:
    if columns(text) <= width:
        return [text]
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and columns((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]
