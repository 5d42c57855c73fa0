"""Writes values into the text of a recipe, and leaves every other character of it alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from surgery.errors import RecipeError
from surgery.recipe import Recipe, load_recipe
from surgery.recipe_text import Path, Plain, field_path
from surgery.store.publish import keep_rights, publish
from surgery.store.sink import Sink
from surgery.store.staging import staged_file
from surgery.store.text import visible

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
# On a line of its own a selection of sites needs no quotes either.
_BARE_IN_BLOCK = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.{},\[\]-]|:(?=\d))*")
_JSON = re.compile(r"(?!)")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off")


def with_values(text: str, values: Mapping[Path, Plain]) -> str:
    """The same YAML or JSON with these fields set; a field that is not there yet is added.

    Args:
        text: a valid recipe.
        values: field path -> its new value; all but the last part must be there.

    Raises:
        RecipeError: a path that the recipe does not have.
    """
    for path, value in values.items():
        change = _change(text, path, value)
        text = f"{text[: change.first]}{change.words}{text[change.last :]}"
    return text


def save_recipe(target: FilePath, text: str, expected: Recipe, *, force: bool) -> None:
    """Write a recipe's text, whole or not at all, once it reads as the recipe that is meant.

    Args:
        force: replace a file that is there; it keeps its rights.

    Raises:
        RecipeError: at that place the text is another recipe: a file that it names is not there.
        OutputError: something is there, or it cannot be written.
    """
    target = target.resolve()
    with staged_file(target) as (descriptor, staged):
        sink = Sink(descriptor, target)
        sink.write(text.encode("utf-8"))
        sink.finish()
        try:
            read = load_recipe(staged)
        except RecipeError as error:
            where = error.where.replace(str(staged), str(target))
            raise RecipeError(error.what, where=where, hint=error.hint) from error
        if read.to_json() != expected.to_json():
            raise RecipeError("does not take these values", where=visible(str(target)))
        if force:
            keep_rights(descriptor, target)
        publish(staged, target, force=force)


@dataclass(frozen=True, slots=True)
class _Change:
    """What stands from one character to before another, and what is to stand there."""

    first: int
    last: int
    words: str


def _change(text: str, path: Path, value: Plain) -> _Change:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import MappingNode

    try:
        parent = YAML(pure=True).compose(text)
        for part in path[:-1]:
            parent = _inside(parent, part)
        found = _inside(parent, path[-1], missing=True)
    except (KeyError, IndexError, TypeError) as error:
        raise RecipeError("is not in the recipe's own text", where=field_path(path)) from error
    is_json = isinstance(parent, MappingNode) and parent.value[0][0].style == '"'
    shown = _shown(value, _JSON if is_json else _BARE if parent.flow_style else _BARE_IN_BLOCK)
    if found is not None:
        return _Change(found.start_mark.index, _end(found), shown)
    return _added(parent, str(path[-1]), shown, text)


def _inside(node: Node, part: str | int, *, missing: bool = False) -> Node | None:
    """The node under one part of a path; KeyError, IndexError or TypeError where there is none."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, MappingNode) and isinstance(part, str):
        for key, value in node.value:
            if key.value == part:
                inner: Node = value
                return inner
        if missing and node.value:
            return None
        raise KeyError(part)
    if isinstance(node, SequenceNode) and isinstance(part, int):
        found: Node = node.value[part]
        return found
    raise TypeError(part)


def _added(node: MappingNode, key: str, shown: str, text: str) -> _Change:
    """A new field after the first one, written as the others of its mapping are."""
    first, value = node.value[0]
    quoted = json.dumps(key) if first.style == '"' else key
    place = _end(value)
    if node.flow_style:
        return _Change(place, place, f", {quoted}: {shown}")
    breaks = "\r\n" if "\r\n" in text else "\n"
    place = text.find("\n", place)
    place = len(text) if place < 0 else place - (breaks == "\r\n")
    return _Change(place, place, f"{breaks}{' ' * first.start_mark.column}{quoted}: {shown}")


def _end(node: Node) -> int:
    """Where a value ends; a block's own mark lies behind the comments that follow it."""
    from ruamel.yaml.nodes import CollectionNode, MappingNode

    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(node, MappingNode) else last)


def _shown(value: Plain, bare: re.Pattern[str]) -> str:
    """A value on one line, in quotes where it could be read as another."""
    if isinstance(value, str) and bare.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
