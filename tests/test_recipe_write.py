from __future__ import annotations

import pytest

from surgery.errors import RecipeError
from surgery.recipe import load_recipe
from surgery.recipe_write import with_values

TEXT = """\
# What it is for.
version: 1
name: x  # its name

edits:
  - method: uce
    # Why.
    debias:
      - concept: cross
        attributes: [red cross, 'blue cross']
        amounts: [0.0, 0.0]
expect:
  untouched: bit_identical
"""
AMOUNTS = ("edits", 0, "debias", 0, "amounts")


def test_a_value_is_set_and_nothing_else_changes() -> None:
    assert with_values(TEXT, {AMOUNTS: [-0.25, 0.25]}) == TEXT.replace(
        "[0.0, 0.0]", "[-0.25, 0.25]"
    )


def test_a_field_that_is_not_there_is_added() -> None:
    bare = TEXT.replace("        amounts: [0.0, 0.0]\n", "")
    found = with_values(bare, {AMOUNTS: [-0.25, 0.25]})
    assert "# Why." in found
    (edit,) = load_recipe(found).edits
    assert edit.model_dump()["debias"][0]["amounts"] == (-0.25, 0.25)


def test_what_the_text_does_not_hold_is_an_error() -> None:
    with pytest.raises(RecipeError, match=r"edits\[1\].debias: is not in the recipe's own text"):
        with_values(TEXT, {("edits", 1, "debias"): []})
