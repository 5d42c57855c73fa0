"""From the words of `surgery verify` to what is wished: recipes, gates, prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import UsageError
from surgery.store.text import quoted

if TYPE_CHECKING:
    from surgery.recipe import Recipe
    from surgery.verify.wish import Wish

OFF = "off"


def recipe_of(given: str | None) -> Recipe | None:
    """A recipe file, or the name of one on the shelf."""
    if given is None:
        return None
    from surgery.cli.shelf import find_recipe
    from surgery.recipe import load_recipe

    return load_recipe(find_recipe(given))


def limits_of(given: Sequence[str]) -> dict[str, float | None]:
    """`erased=0.2` as a limit by the gate's name, None for `erased=off`.

    Raises:
        UsageError: it has another form.
    """
    found: dict[str, float | None] = {}
    for text in given:
        name, _, limit = text.partition("=")
        found[name.strip()] = None if limit.strip() == OFF else _number(text, limit)
    return found


def _number(text: str, limit: str) -> float:
    try:
        found = float(limit)
    except ValueError:
        found = float("nan")
    if not isfinite(found) or found < 0:
        raise UsageError(
            f"{quoted(text)} is no limit", hint="write GATE=X, such as erased=0.2, or GATE=off"
        )
    return found


def about(
    plain: Wish, kind: str | None, target: str | None, synonyms: Sequence[str], prompts: Path | None
) -> Wish:
    """The wish with what is said about its concepts.

    Raises:
        UsageError: something is said about a concept, and not one alone is named.
    """
    from surgery.verify.given import read_prompts

    said = [name for name, one in (("--kind", kind), ("--target", target)) if one]
    said += ["--synonym"] if synonyms else []
    if said and len(plain.concepts) != 1:
        raise UsageError(f"{said[0]} says something of one concept", hint="name it by --concept")
    name = plain.concepts[0] if plain.concepts else ""
    return replace(
        plain,
        sorts={name: kind} if kind else {},
        targets={name: target} if target else {},
        synonyms={name: tuple(synonyms)} if synonyms else {},
        given=read_prompts(prompts) if prompts else (),
    )
