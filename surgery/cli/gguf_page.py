"""`surgery inspect` of a GGUF file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgery.cli.page import Line, Page, Table, plural
from surgery.store.text import size

if TYPE_CHECKING:
    from surgery.cli.console import Output
    from surgery.gguf import GgufAnatomy
    from surgery.store.gguf import Source

SHOWN, LONGEST = 20, 80


def show_gguf(source: Source, out: Output) -> None:
    """Show what the header of a GGUF file says."""
    from surgery.gguf import gguf_anatomy

    found = gguf_anatomy(source)
    out.result(found.to_dict(), [tensor.name for tensor in found.tensor_list], gguf_page(found))


def gguf_page(found: GgufAnatomy) -> Page:
    """A GGUF file for reading: what it says it is, its types, its first metadata entries."""
    counts = f"{plural(found.tensors, 'tensor')}, {found.parameters:,} parameters"
    about = f"GGUF {found.format_version}, architecture {found.architecture or 'not named'}"
    rows = tuple((name, f"{count:,}") for name, count in found.types.items())
    page: list[Line | Table] = [
        Line(found.address, "title"),
        Line(f"{about}: it can be looked at, but not edited", "warn"),
        Line(f"{size(found.nbytes)}, {counts}"),
        Table("", ("stored as", "parameters"), rows, right=frozenset({1})),
    ]
    entries = list(found.metadata.items())
    page.extend(Line(f"{key}: {str(value)[:LONGEST]}", "quiet") for key, value in entries[:SHOWN])
    if len(entries) > SHOWN:
        page.append(Line(f"and {len(entries) - SHOWN} entries more", "quiet"))
    return page
