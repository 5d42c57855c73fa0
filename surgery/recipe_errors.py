"""A failed recipe validation as one sentence: file, line, field path, what is wrong, what is meant.

Knows pydantic's error records and the recipe's classes by introspection; reads no text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from surgery.errors import RecipeError
from surgery.recipe_text import Located, Path, Plain
from surgery.store.text import nearest, visible

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST_VALUE = 60
# Half a million mistakes fit into a recipe; to look at every one takes seconds and a gigabyte.
_MOST, _FIRST_ITEMS = 1000, 50
_SAID_BETTER: Mapping[str, str] = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "finite_number": "must be a finite number",
}


def explain(
    error: ValidationError,
    located: Located,
    root: type[BaseModel],
    variants: Mapping[str, type[BaseModel]],
) -> RecipeError:
    """The mistake that stands first in the text, as a `RecipeError`; the others are counted.

    Args:
        root: the class that was validated.
        variants: classes that a tag (`method`) chooses between, by tag.
    """
    details = _few(error, located.value, root).errors(include_url=False)
    found = _causes([(_path(detail, located.value), detail) for detail in details])
    # A misspelt required key is missing too: the misspelling is what can be mended.
    path, detail = min(
        found, key=lambda pair: (pair[1]["type"] == "missing", _line(pair[0], located))
    )
    what, hint = _sentence(path, detail, _keys(detail["loc"], root, variants), variants)
    others = (error.error_count() if len(details) < error.error_count() else len(found)) - 1
    if others:
        more = f"{others} more mistake{'s' if others > 1 else ''} in this recipe"
        hint = f"{hint} ({more})" if hint else more
    return RecipeError(what, where=located.at(path), hint=hint)


def _few(error: ValidationError, value: Plain, root: type[BaseModel]) -> ValidationError:
    """The mistakes among the first items of every list, where there are too many to look at."""
    length = _FIRST_ITEMS
    while error.error_count() > _MOST:
        try:
            root.model_validate_json(json.dumps(_shortened(value, length)))
        except ValidationError as first:
            return first
        length *= 4
    return error


def _shortened(value: Plain, length: int) -> Plain:
    if isinstance(value, dict):
        return {key: _shortened(inner, length) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner, length) for inner in value[:length]]
    return value


def _causes(found: list[tuple[Path, ErrorDetails]]) -> list[tuple[Path, ErrorDetails]]:
    """Without what only follows: a list that is too short because its one item was refused."""
    parents = {path[:end] for path, _ in found for end in range(len(path))}
    return [(path, detail) for path, detail in found if path not in parents]


def _path(detail: ErrorDetails, value: Plain) -> Path:
    """The error's location without the tags that pydantic adds for variants."""
    path: list[str | int] = []
    here: Plain = value
    for number, part in enumerate(detail["loc"]):
        inside_dict = isinstance(here, dict) and part in here
        inside_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if inside_dict or inside_list:
            path.append(part)
            here = here[part]  # type: ignore[index]
        elif detail["type"] == "missing" and number == len(detail["loc"]) - 1:
            path.append(part)
    if detail["type"] == "union_tag_invalid":
        path.append("method")
    return tuple(path)


def _line(path: Path, located: Located) -> int:
    while path and path not in located.lines:
        path = path[:-1]
    return located.lines.get(path, 0)


def _sentence(
    path: Path,
    detail: ErrorDetails,
    keys: Sequence[str],
    variants: Mapping[str, type[BaseModel]],
) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key", _meant(str(path[-1]) if path else "", keys)
    if kind == "missing":
        return "is missing", ""
    if kind == "union_tag_not_found":
        return "an edit names its method", f"known methods: {', '.join(variants)}"
    if kind == "union_tag_invalid":
        tag = str(context.get("tag", ""))
        return f"unknown method '{visible(tag)}'", _meant(tag, tuple(variants))
    text = _SAID_BETTER.get(kind) or detail["msg"].removeprefix("Value error, ")
    text = re.sub(r"^\w+ should ", "must ", text)
    hint = "put it in quotes to keep it as text" if kind == "string_type" else ""
    scalar = not isinstance(detail["input"], (dict, list))
    # A rule about several keys says itself which of them do not go together.
    if kind == "value_error" and not scalar:
        return text, ""
    return f"{text}, got {_shown(detail['input'])}", hint if scalar else ""


def _meant(name: str, options: Sequence[str]) -> str:
    if close := nearest(name, options):
        return f"did you mean '{close}'?"
    return f"known: {', '.join(options)}" if options else ""


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = visible(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _keys(
    loc: Sequence[str | int], root: type[BaseModel], variants: Mapping[str, type[BaseModel]]
) -> tuple[str, ...]:
    """The keys allowed in the mapping that holds the last part of `loc`."""
    model = root
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        if part in model.model_fields:
            inner = tuple(_models(model.model_fields[part].annotation))
            model = inner[0] if inner else model
        elif part in variants:
            model = variants[part]
    return tuple(model.model_fields)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
