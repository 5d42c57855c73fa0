"""`surgery inspect`: what is in a checkpoint, from its headers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgery.cli.options import AllowPickleOption, FormatOption, ModelArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surgery.anatomy import Anatomy
    from surgery.cli.page import Line, Page, Table
    from surgery.store.checkpoint import Checkpoint

# A recipe's text is stored in the metadata of an output; a page shows only its beginning.
LONGEST_VALUE = 80


def command(
    model: ModelArgument, allow_pickle: AllowPickleOption = False, format: FormatOption = "human"
) -> None:
    """Show what is in a model, from its headers alone: no weights are read.

    \b
    Examples:
      surgery inspect atelier
      surgery inspect atelier --format json
    """
    from surgery.anatomy import anatomy
    from surgery.cli.console import Output
    from surgery.cli.gguf_page import show_gguf
    from surgery.store.checkpoint import open_checkpoint
    from surgery.store.gguf import find_gguf

    out = Output(format)
    if source := find_gguf(model):
        return show_gguf(source, out)
    checkpoint = open_checkpoint(model, allow_pickle=allow_pickle)
    found = anatomy(checkpoint)
    document = {**found.to_dict(), "tensor_list": tensor_list(checkpoint)}
    out.result(document, list(checkpoint), anatomy_page(found))


def tensor_list(checkpoint: Checkpoint) -> list[dict[str, object]]:
    """Every tensor in file order: name, stored type, shape, bytes."""
    return [
        {"name": ref.name, "dtype": ref.dtype, "shape": list(ref.shape), "nbytes": ref.nbytes}
        for ref in checkpoint.values()
    ]


def anatomy_page(found: Anatomy) -> Page:
    """An anatomy for reading: what it is, its components, where edits can go, what is odd."""
    from surgery.cli.page import Line

    page: list[Line | Table] = [Line(found.address, "title"), *_kind(found), _components(found)]
    if found.sites:
        page.append(_sites(found.sites))
    page.extend(Line(f"{key}: {_cut(value)}", "quiet") for key, value in found.provenance.items())
    page.extend(Line(f"odd: {text}", "warn") for text in found.oddities)
    return page


def _kind(found: Anatomy) -> list[Line]:
    from surgery.cli.page import Line, plural
    from surgery.store.text import size

    files = plural(len(found.files), "weight file")
    counts = f"{plural(found.tensors, 'tensor')}, {found.parameters:,} parameters"
    if found.layout:
        about = f": {found.about}" if found.about else ""
        named = Line(f"layout {found.layout}{about}", "good")
    else:
        named = Line(found.why_not, "warn")
    lines = [named, Line(f"{found.container}, {files}, {size(found.nbytes)}, {counts}")]
    return [*lines, Line(f"predicts {found.prediction}")] if found.prediction else lines


def _components(found: Anatomy) -> Table:
    from surgery.cli.page import Table
    from surgery.store.text import size

    rows = tuple(
        (
            part.name or "(no component)",
            f"{part.tensors:,}",
            f"{part.parameters:,}",
            size(part.nbytes),
            " ".join(part.dtypes),
        )
        for part in found.components
    )
    columns = ("component", "tensors", "parameters", "bytes", "stored as")
    return Table("", columns, rows, right=frozenset({1, 2, 3}))


def _sites(sites: Mapping[str, int]) -> Table:
    from surgery.cli.page import Table

    groups: dict[tuple[str, int], list[str]] = {}
    for kind, count in sites.items():
        if kind.endswith(".bias") and kind.removesuffix(".bias") in sites:
            continue
        group, _, part = kind.partition(".")
        groups.setdefault((group, count), []).append(part)
    rows = tuple(
        (group, f"{group}.{parts[0]}[{'0' if count == 1 else f'0:{count}'}]", ", ".join(parts))
        for (group, count), parts in groups.items()
    )
    return Table("", ("sites", "as in a recipe", "kinds"), rows)


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}..."
