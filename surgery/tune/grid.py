"""Which settings of an edit are tried: axes from text or by default, and every combination.

Every value is put to the edit's own schema before anything is done with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

from pydantic import ValidationError

from surgery.edits.base import Edit
from surgery.errors import RecipeError, UsageError
from surgery.recipe_text import read_yaml
from surgery.store.text import nearest, visible

Value = str | float | bool | None
Axes = Mapping[str, Sequence[Value]]
Settings = Mapping[str, Value]

USUAL: Axes = {
    "ratio": (0.001, 0.002, 0.005, 0.01, 0.02, 0.05),
    "positions": ("last", "eos", "name"),
    "threshold": (0.0003, 0.001, 0.003, 0.01),
    "alpha": (1.0, 2.0, 5.0),
    "preserve_scale": (0.3, 1.0, 3.0, 10.0),
    "ridge": (0.0001, 0.001, 0.01, 0.1),
    "strength": (0.5, 0.75, 1.0),
}
"""What is tried of a setting that an edit has, besides the value that the recipe gives it."""

FIXED = ("method", "concepts", "moderate", "debias", "preserve", "scores")
"""Fields that say what an edit does; the others say how."""

MOST = 5000
"""Points that are tried in one run."""

WHERE = "--grid"
_OPEN, _CLOSE = "{[(", "}])"


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination: its settings, and the edit with them."""

    settings: Settings
    edit: Edit


def read_axes(texts: Sequence[str]) -> dict[str, tuple[Value, ...]]:
    """Axes from `key=value,value`; the same key again adds values.

    Commas in brackets and quotes belong to a value; values are written as in a recipe.

    Raises:
        UsageError: no `=`, no key or no value.
    """
    axes: dict[str, tuple[Value, ...]] = {}
    for text in texts:
        key, equals, values = text.partition("=")
        if not (key.strip() and equals):
            hint = "write a setting and its values, as in --grid ridge=0.001,0.01"
            raise UsageError(f"'{visible(text)}' is no axis of a grid", where=WHERE, hint=hint)
        found = tuple(_value(key, part) for part in _split(values))
        axes[key.strip()] = (*axes.get(key.strip(), ()), *found)
    return axes


def trials(
    edit: Edit, axes: Axes | None = None
) -> tuple[tuple[Trial, ...], dict[str, list[Value]]]:
    """Every combination of the axes' values, and the axes; the edit's own settings come first.

    Args:
        axes: setting -> values; left out, the usual ones of what the edit has.

    Raises:
        UsageError: a setting that the edit does not have, no value, one that its schema refuses,
            or too many combinations.
    """
    accepted = _given(edit, axes) if axes else _usual(edit)
    count = 1
    for values in accepted.values():
        count *= len(values)
    if count > MOST:
        hint = "leave out an axis, or some of its values"
        raise UsageError(f"{count:,} points, where {MOST:,} are tried", where=WHERE, hint=hint)
    own = {key: cast("Value", getattr(edit, key)) for key in accepted}
    rest = [dict(zip(accepted, values, strict=True)) for values in product(*accepted.values())]
    every = [own, *(settings for settings in rest if settings != own)]
    found = tuple(Trial(one, edit.model_copy(update=dict(one))) for one in every)
    return found, accepted


def settable(edit: Edit) -> tuple[str, ...]:
    """The settings of an edit that can be swept."""
    return tuple(name for name in type(edit).model_fields if name not in FIXED)


def _given(edit: Edit, axes: Axes) -> dict[str, list[Value]]:
    accepted = {}
    for key, values in axes.items():
        if key not in settable(edit):
            raise _unknown(edit, key)
        if not values:
            raise UsageError("names no value", where=f"{WHERE} {key}")
        accepted[key] = _once([_accepted(edit, key, value) for value in values])
    if 0 in accepted.get("strength", ()):
        hint = "leave it out: it is the model as it is"
        raise UsageError("strength 0 changes nothing", where=f"{WHERE} strength", hint=hint)
    return accepted


def _usual(edit: Edit) -> dict[str, list[Value]]:
    """The usual values that the schema accepts, with the edit's own among them."""
    accepted = {}
    for key, values in USUAL.items():
        if key not in settable(edit):
            continue
        found = _once([*_fitting(edit, key, values), cast("Value", getattr(edit, key))])
        numbers = all(isinstance(value, float) for value in found)
        accepted[key] = sorted(found, key=float) if numbers else found  # type: ignore[arg-type]
    return accepted


def _fitting(edit: Edit, key: str, values: Sequence[Value]) -> Iterator[Value]:
    for value in values:
        try:
            yield _accepted(edit, key, value)
        except UsageError:
            continue


def _accepted(edit: Edit, key: str, value: Value) -> Value:
    """The value as the edit's schema reads it."""
    fields = edit.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps({**fields, "method": edit.method, key: value})
    try:
        return cast("Value", getattr(type(edit).model_validate_json(text), key))
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        reason = re.sub(r"^\w+ should ", "must ", reason)
        shown = visible(json.dumps(value))
        raise UsageError(f"{reason}, got {shown}", where=f"{WHERE} {key}") from error


def _unknown(edit: Edit, key: str) -> UsageError:
    known = settable(edit)
    if key in type(edit).model_fields:
        hint = f"these can be: {', '.join(known)}"
        return UsageError(f"'{key}' says what the edit does: not swept", where=WHERE, hint=hint)
    close = nearest(key, known)
    hint = f"did you mean '{close}'?" if close else f"known: {', '.join(known)}"
    return UsageError(f"{edit.method} has no setting '{visible(key)}'", where=WHERE, hint=hint)


def _value(key: str, text: str) -> Value:
    """One value, by the rules of a recipe's own text."""
    where = f"{WHERE} {visible(key)}"
    if not text.strip():
        raise UsageError("names an empty value", where=where, hint="write it between commas")
    try:
        found = read_yaml(text.encode("utf-8", "surrogatepass"), where).value
    except RecipeError as error:
        raise UsageError(f"'{visible(text)}' is no value of a recipe", where=where) from error
    if isinstance(found, (dict, list)):
        raise UsageError(f"'{visible(text)}' is no single value", where=where)
    return found


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no bracket and in no quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        depth += (letter in _OPEN) - (letter in _CLOSE) if not quote else 0
        if letter == "," and not quote and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _once(values: Sequence[Value]) -> list[Value]:
    """Each value once; `true` and 1 are two."""
    return list({(type(value), value): value for value in values}.values())
