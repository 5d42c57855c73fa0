"""Words of others as Markdown: shown as they are, never markup, links or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from surgery.store.text import visible

_SPECIAL = re.compile(r"([\\`*_\[\]{}()#+!|~$-])")
_URL = re.compile(r"(?i)(https?|ftp|mailto|www)(?=[:.])")


def plain(text: str) -> str:
    """A text inside a line of Markdown."""
    line = " ".join(visible(text.replace("\n", " ")).split())
    escaped = _SPECIAL.sub(r"\\\1", _without_html(line))
    # A bare address would become a link.
    return _URL.sub(lambda found: f"{found[0][0]}&#{ord(found[0][1])};{found[0][2:]}", escaped)


def code(text: str) -> str:
    """A name inside a line or a table, as code."""
    line = visible(text).replace("|", "\\|") or " "
    if "<" in line or ">" in line or "&" in line:
        return plain(text)
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def block(text: str, language: str) -> str:
    """Several lines of code; `text` must hold no `<`."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _without_html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
