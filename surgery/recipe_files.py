"""What a recipe keeps in files beside it: lists of concepts, a report that names layers, scores.

Lists and reports are read into the recipe's values before anything else looks at them. Scores may
be as large as a model and stay in their file; here it is found.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from surgery.concept_list import read_concepts
from surgery.errors import RecipeError, UsageError
from surgery.recipe_text import Located, Plain
from surgery.recipe_text import Path as Field
from surgery.report import ProbeReport
from surgery.store.text import nearest, visible

MAX_BYTES = 1_000_000
LIST_KEYS = ("from", "kind", "target", "prompts")
REPORT_KEYS = ("from", "top")


def with_files(located: Located, folder: Path) -> Located:
    """The recipe's values with those of the files that it names.

    Args:
        folder: where relative names start, the recipe's own folder.

    Raises:
        RecipeError: a file that cannot be read, lies elsewhere, or does not hold what it should.
    """
    edits = located.value.get("edits") if isinstance(located.value, dict) else None
    for number, edit in enumerate(edits if isinstance(edits, list) else ()):
        if not isinstance(edit, dict):
            continue
        if isinstance(given := edit.get("concepts"), dict):
            located = _with_list(located, ("edits", number, "concepts"), given, folder)
        if isinstance(given := edit.get("where"), dict):
            located = _with_sites(located, ("edits", number, "where"), given, folder)
        if isinstance(given := edit.get("scores"), str):
            located = _with_scores(located, ("edits", number, "scores"), given, folder)
    return located


def _with_list(located: Located, field: Field, given: Mapping[str, Plain], folder: Path) -> Located:
    _check_keys(located, field, given, LIST_KEYS)
    path = _path(located, field, given, folder)
    name = visible(str(given["from"]))
    shared = {key: value for key, value in given.items() if key != "from"}
    found = read_concepts(_read(path, located.at((*field, "from")), name), path.suffix, name)
    origins = {(*field, place): f"{name}:{line}" for place, (line, _) in enumerate(found)}
    values: list[Plain] = [{**shared, **row} for _, row in found]
    return _replaced(located, field, values, origins)


def _with_sites(
    located: Located, field: Field, given: Mapping[str, Plain], folder: Path
) -> Located:
    _check_keys(located, field, given, REPORT_KEYS)
    top = given.get("top", 1)
    if type(top) is not int or top < 1:
        raise RecipeError("must be a whole number from 1", where=located.at((*field, "top")))
    path = _path(located, field, given, folder)
    where = located.at((*field, "from"))
    text = _read(path, where, visible(str(given["from"])))
    try:
        best = ProbeReport.from_json(text).top(top)
    except UsageError as error:
        raise RecipeError(error.what, where=where, hint=error.hint) from error
    return _replaced(located, field, ", ".join(best), {})


def _with_scores(located: Located, field: Field, name: str, folder: Path) -> Located:
    """The file's own place, whatever folder the command is called from."""
    where = located.at(field)
    path = _inside(name, where, folder)
    if not path.is_file():
        hint = "surgery probe --scores makes one"
        raise RecipeError(f"there is no score file {visible(name)}", where=where, hint=hint)
    return _replaced(located, field, str(path), {})


def _replaced(
    located: Located, field: Field, value: Plain, origins: Mapping[Field, str]
) -> Located:
    """The same with another value at one field; the given values stay as they are."""
    root, number, key = located.value, field[1], str(field[2])
    assert isinstance(root, dict)
    edits = root["edits"]
    assert isinstance(edits, list)
    changed = [
        {**edit, key: value} if place == number and isinstance(edit, dict) else edit
        for place, edit in enumerate(edits)
    ]
    return replace(
        located, value={**root, "edits": changed}, origins={**located.origins, **origins}
    )


def _check_keys(
    located: Located, field: Field, given: Mapping[str, Plain], known: tuple[str, ...]
) -> None:
    for key in given:
        if key not in known:
            close = nearest(key, known)
            hint = f"did you mean '{close}'?" if close else f"known: {', '.join(known)}"
            raise RecipeError("unknown key", where=located.at((*field, key)), hint=hint)
    if not isinstance(given.get("from"), str):
        raise RecipeError("names no file", where=located.at((*field, "from")), hint="write from: …")


def _path(located: Located, field: Field, given: Mapping[str, Plain], folder: Path) -> Path:
    return _inside(str(given["from"]), located.at((*field, "from")), folder)


def _inside(name: str, where: str, folder: Path) -> Path:
    """The file meant; a recipe from a stranger may not reach for others."""
    try:
        path = (folder / name).resolve()
        homes = (folder.resolve(), Path.cwd())
    except (OSError, ValueError, RuntimeError) as error:
        raise RecipeError("no such file", where=where) from error
    if not any(path.is_relative_to(home) for home in homes):
        raise RecipeError(
            f"{visible(name)} lies outside the recipe's folder",
            where=where,
            hint="put it beside the recipe",
        )
    return path


def _read(path: Path, where: str, name: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecipeError(f"{name} is not a regular file", where=where)
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise RecipeError(f"there is no file {name}", where=where) from error
    except OSError as error:
        raise RecipeError(f"{name} cannot be read: {error.strerror}", where=where) from error
    if len(raw) > MAX_BYTES:
        raise RecipeError(f"{name} holds more than {MAX_BYTES:,} bytes", where=where)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RecipeError(f"{name}:{line}: not UTF-8 text", where=where) from error
