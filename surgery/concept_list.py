"""Lists of concepts: a text file with a name on each line, or a CSV table. Text in, values out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from surgery.edits.names import words
from surgery.errors import RecipeError
from surgery.recipe_text import Plain
from surgery.store.text import nearest, visible

COLUMNS = ("concept", "target", "kind")
MAX_NAMES = 10_000
LONGEST_NAME = 200

Row = tuple[int, dict[str, Plain]]


def read_concepts(text: str, ending: str, where: str) -> tuple[Row, ...]:
    """Each concept as a recipe says it, with the line it stands on.

    Args:
        text: of the file.
        ending: `.csv` for a table with a header; anything else is one name on each line, where
            empty lines and those that begin with # say nothing.
        where: the file's name, for messages.

    Raises:
        RecipeError: a line that is no concept, or none at all; it opens with file and line.
    """
    rows = _table(text, where) if ending.casefold() == ".csv" else _names(text)
    found: list[Row] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, row in rows:
        _check(row, f"{where}:{line}")
        first = seen.setdefault(words(str(row["erase"])), line)
        if first != line:
            name = visible(str(row["erase"]))
            raise RecipeError(f"'{name}' stands on line {first} too", where=f"{where}:{line}")
        found.append((line, row))
        if len(found) > MAX_NAMES:
            raise RecipeError(f"a list holds at most {MAX_NAMES:,} concepts", where=where)
    if not found:
        raise RecipeError("the list names no concept", where=where)
    return tuple(found)


def _names(text: str) -> Iterator[Row]:
    for line, name in enumerate(text.splitlines(), 1):
        if name.strip() and not name.lstrip().startswith("#"):
            yield line, {"erase": name.strip()}


def _table(text: str, where: str) -> Iterator[Row]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    head: list[str] | None = None
    try:
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            place = f"{where}:{reader.line_num}"
            if head is None:
                head = _head(fields, place)
                continue
            yield reader.line_num, _row(head, fields, place)
    except csv.Error as error:
        place = f"{where}:{reader.line_num}"
        raise RecipeError(f"not a CSV table: {visible(str(error))}", where=place) from error


def _head(fields: Iterable[str], where: str) -> list[str]:
    head = [field.strip().casefold() for field in fields]
    for name in head:
        if name not in COLUMNS:
            close = nearest(name, COLUMNS)
            hint = f"did you mean '{close}'?" if close else f"known: {', '.join(COLUMNS)}"
            raise RecipeError(f"unknown column '{visible(name)}'", where=where, hint=hint)
    if "concept" not in head or len(set(head)) < len(head):
        raise RecipeError("the header needs one column 'concept', and each once", where=where)
    return head


def _row(head: list[str], fields: list[str], where: str) -> dict[str, Plain]:
    if len(fields) != len(head):
        raise RecipeError(
            f"{len(fields)} fields, where the header has {len(head)}",
            where=where,
            hint="put a name that holds a comma in double quotes",
        )
    said = {name: field.strip() for name, field in zip(head, fields, strict=True)}
    row: dict[str, Plain] = {"erase": said.pop("concept")}
    return row | {name: field for name, field in said.items() if field}


def _check(row: dict[str, Plain], where: str) -> None:
    for field in row.values():
        text = str(field)
        if len(text) > LONGEST_NAME:
            raise RecipeError(f"a name of {len(text):,} letters", where=where)
        if not text.isprintable():
            raise RecipeError(f"'{visible(text)}' holds control characters", where=where)
    if not words(str(row["erase"])):
        raise RecipeError(f"'{visible(str(row['erase']))}' has no word", where=where)
