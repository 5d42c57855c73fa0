from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.errors import RecipeError
from surgery.recipe import load_recipe
from surgery.recipe_text import read_yaml
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


TUNED = """\
version: 1   # one
name: x
edits:
- method: uce   # a list that is not set in
  concepts: [{erase: a}]
  # before
  ridge:  0.5   # why
  where:
    from: x.json
    top: 2
  # end

expect: {}
"""


def test_every_other_character_stays_whatever_the_style() -> None:
    values = {
        ("edits", 0, "ridge"): 0.001,
        ("edits", 0, "strength"): 0.75,
        ("edits", 0, "where"): "cross_attn.{k,v}[2:5]",
    }
    expected = (
        TUNED.replace("  0.5 ", "  0.001 ")
        .replace("not set in\n", "not set in\n  strength: 0.75\n")
        .replace("from: x.json\n    top: 2\n", "cross_attn.{k,v}[2:5]\n")
    )
    assert with_values(TUNED, values) == expected
    assert load_recipe(expected).edits[0].model_dump()["where"] == "cross_attn.{k,v}[2:5]"


def test_windows_line_ends_stay() -> None:
    found = with_values(TUNED.replace("\n", "\r\n"), {("edits", 0, "strength"): 0.5})
    assert found == TUNED.replace("not set in\n", "not set in\n  strength: 0.5\n").replace(
        "\n", "\r\n"
    )


def test_json_stays_json() -> None:
    text = '{"version": 1, "name": "x",\n "edits": [{"method": "uce", "ridge": 1}]}'
    found = with_values(text, {("edits", 0, "positions"): "last", ("edits", 0, "ridge"): 0.5})
    assert json.loads(found)["edits"] == [{"method": "uce", "positions": "last", "ridge": 0.5}]


@pytest.mark.parametrize("value", ["no", "1", "a: b", "a, b", "# x", "null", 'a "b"', None, True])
def test_a_value_reads_back_as_it_was_given(value: str | bool | None) -> None:
    for text in ("edits:\n  - method: uce\n", "edits: [{method: uce}]\n"):
        found = with_values(text, {("edits", 0, "where"): value})
        assert read_yaml(found.encode(), "x").value == {
            "edits": [{"method": "uce", "where": value}]
        }


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "recipes").glob("*.yaml")))
def test_every_recipe_of_the_shelf_keeps_its_comments(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = with_values(text, {("edits", 0, "strength"): 0.625})
    kept = [line for line in text.splitlines() if "strength:" not in line]
    assert [line for line in found.splitlines() if "strength:" not in line] == kept
    assert load_recipe(found).edits[0].strength == 0.625
