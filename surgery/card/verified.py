"""What a report of `verify` says, as far as a card tells it. Knows only a part of its fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from surgery.errors import UsageError
from surgery.store.text import visible


@dataclass(frozen=True, slots=True)
class Verified:
    """A report of `verify`.

    Args:
        after: the bare name of the model that was looked at.
        gates: name, what was found, what was expected, whether it passed.
        sets: concept, why its prompts were asked, shares before and after with their intervals.
        attacks: name, concept, what was tried, the share under it with its interval.
    """

    after: str
    gates: tuple[tuple[str, str, str, bool], ...]
    sets: tuple[tuple[str, str, str, str], ...]
    attacks: tuple[tuple[str, str, str, str], ...] = ()


def read_verified(text: str, where: str) -> Verified:
    """Read what `surgery verify --format json` printed.

    Raises:
        UsageError: it is something else.
    """
    hint = "give what `surgery verify --format json` prints"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("this is no JSON", where=visible(where), hint=hint) from error
    if not isinstance(found, dict) or found.get("kind") != "verify":
        raise UsageError("this is no report of verify", where=visible(where), hint=hint)
    gates = tuple(_gate(one) for one in _mappings(found.get("gates")))
    sets = tuple(row for one in _mappings(found.get("sets")) if (row := _set(one)))
    attacks = tuple(row for one in _mappings(found.get("attacks")) if (row := _attack(one)))
    return Verified(_name(found.get("after")), gates, sets, attacks)


def _name(after: object) -> str:
    """The last part of the address of the model that was looked at."""
    address = after.get("address") if isinstance(after, dict) else None
    return PurePath(str(address or "")).name


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _gate(one: Mapping[str, object]) -> tuple[str, str, str, bool]:
    name, found, limit = (str(one.get(key, "")) for key in ("name", "found", "limit"))
    return name, found, limit, one.get("passed") is True


def _set(one: Mapping[str, object]) -> tuple[str, str, str, str] | None:
    before, after = _share(one.get("shown_before")), _share(one.get("shown_after"))
    if not before or not after:
        return None
    return str(one.get("concept", "")), str(one.get("group", "")), before, after


def _attack(one: Mapping[str, object]) -> tuple[str, str, str, str] | None:
    if not (under := _share(one.get("after"))):
        return None
    name, concept, tried = (str(one.get(key, "")) for key in ("name", "concept", "tried"))
    return name, concept, tried, under


def _share(value: object) -> str:
    """A share with its interval: `2 % (0 to 11 % of 48)`."""
    if not isinstance(value, dict):
        return ""
    figures = [value.get(key) for key in ("value", "low", "high")]
    numbers = [float(one) for one in figures if isinstance(one, (int, float))]
    if len(numbers) < len(figures):
        return ""
    middle, low, high = (f"{100 * one:.0f}" for one in numbers)
    count = value.get("count")
    of = f" of {count}" if isinstance(count, int) else ""
    return f"{middle} % ({low} to {high} %{of})"
