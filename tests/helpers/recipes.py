"""Recipes that fit the tiny pipeline: few preserve terms, so that a narrow model has room."""

from __future__ import annotations

from surgery.recipe import Recipe, load_recipe


def recipe(
    *, erase: str = "van gogh", target: str = "painting", strength: float = 1.0, more: str = ""
) -> Recipe:
    """One quickfix edit; `more` holds further top-level lines."""
    return load_recipe(
        f"""\
version: 1
name: tiny
model: atelier
edits:
  - method: quickfix
    concepts: [{{erase: {erase}, target: {target}}}]
    preserve: [monet]
    preserve_defaults: false
    positions: last
    strength: {strength}
    ridge: 1e-4
{more}
"""
    )


def twice() -> Recipe:
    """Two edits of one tensor."""
    first, second = recipe(), recipe(erase="seurat", target="drawing")
    return first.model_copy(update={"edits": (*first.edits, *second.edits)})


def nothing() -> Recipe:
    """No edits at all."""
    return load_recipe("version: 1\nname: nothing\nedits: []\n")
