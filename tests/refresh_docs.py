"""Writes what follows from other files: python tests/refresh_docs.py

That is `surgery/layouts/compiled.json`, and the parts of README.md that the code tells. Each stands
between <!-- NAME:begin --> and <!-- NAME:end -->; the rest of the page is left alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def commands() -> dict[tuple[str, ...], str]:
    """Every command's words and its help text, groups before their commands."""
    from typer.main import get_command

    from surgery.cli import app

    # Help is folded to the terminal; the page has one width.
    os.environ["COLUMNS"] = "80"
    return dict(walk(get_command(app), (), None))


def walk(
    command: object, words: tuple[str, ...], parent: object
) -> Iterator[tuple[tuple[str, ...], str]]:
    context = command.make_context(  # type: ignore[attr-defined]
        words[-1] if words else "surgery", [], parent=parent, resilient_parsing=True
    )
    yield words, context.get_help()
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*words, name), context)


def examples() -> dict[tuple[str, ...], list[str]]:
    """Each command's example lines, as its help shows them."""
    return {
        words: [line.strip() for line in text.splitlines() if line.startswith("    surgery ")]
        for words, text in commands().items()
    }


def help_blocks() -> str:
    return "\n\n".join(
        f"### {' '.join(('surgery', *words))}\n\n```text\n{text.rstrip()}\n```"
        for words, text in commands().items()
    )


def methods_table() -> str:
    from surgery.edits import EDITS

    rows = [(f"`{name}`", first_sentence(edit.__doc__ or "")) for name, edit in EDITS.items()]
    return table(("method", "what it does"), rows)


def probes_table() -> str:
    from surgery.probes import PROBES
    from surgery.scores import SCORERS

    every = {**PROBES, **SCORERS}
    rows = [(f"`{name}`", probe.about, probe.source) for name, probe in every.items()]
    return table(("probe", "what it does", "source"), rows)


def layouts_table() -> str:
    from surgery.layouts.schema import load_specs

    rows = [(f"`{spec.name}`", spec.about) for spec in load_specs()]
    return table(("layout", "checkpoints"), rows)


def recipes_table() -> str:
    from surgery.recipe import load_recipe

    loaded = [load_recipe(path) for path in sorted((ROOT / "recipes").glob("*.yaml"))]
    return table(("recipe", "what it does"), [(f"`{r.name}`", r.description) for r in loaded])


def first_sentence(docstring: str) -> str:
    return " ".join(docstring.strip().split("\n\n")[0].split())


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(' '.join(c.split()) for c in line)} |" for line in lines)


PARTS = {
    "methods": methods_table,
    "probes": probes_table,
    "layouts": layouts_table,
    "recipes": recipes_table,
    "commands": help_blocks,
}


def refreshed(page: str) -> str:
    """The page with every generated part written anew; ValueError when one has no place in it."""
    for name, write in PARTS.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        place = re.compile(f"{begin}.*?{end}", re.DOTALL)
        if len(place.findall(page)) != 1:
            raise ValueError(f"README.md needs one {begin} ... {end}")
        text = f"{begin}\n{write()}\n{end}"
        page = place.sub(lambda _, text=text: text, page)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    from surgery.layouts.compiled import COMPILED, compiled

    COMPILED.write_text(compiled(), encoding="utf-8")
    README.write_text(refreshed(README.read_text(encoding="utf-8")), encoding="utf-8")
