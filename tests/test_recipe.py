from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgery.errors import RecipeError
from surgery.recipe import Expect, Limit, Recipe, json_schema, load_recipe

TEXT = """\
version: 1
name: remove_vangogh
description: Van Gogh's style becomes a plain painting.
model: atelier
seed: 3
edits:
  - method: quickfix
    concepts:
      - {erase: van gogh, target: painting, kind: style}
    preserve: [monet, no]
    ridge: 1e-3
expect:
  leak: {max: 0.1}
  untouched: bit_identical
"""


def test_reads_every_field() -> None:
    recipe = load_recipe(TEXT)
    assert (recipe.name, recipe.model, recipe.seed) == ("remove_vangogh", "atelier", 3)
    assert recipe.expect == Expect(leak=Limit(max=0.1), untouched="bit_identical")
    (edit,) = recipe.edits
    assert edit.method == "quickfix"
    assert edit.model_dump()["preserve"] == ("monet", "no")
    assert edit.model_dump()["ridge"] == 1e-3


def test_a_recipe_needs_a_version_a_name_and_edits_only() -> None:
    assert load_recipe("version: 1\nname: nothing\nedits: []\n").edits == ()


def test_what_is_dumped_loads_as_the_same_recipe() -> None:
    recipe = load_recipe(TEXT)
    assert load_recipe(recipe.dump()) == recipe


def test_a_dump_leaves_out_defaults_and_starts_with_version_and_method() -> None:
    lines = load_recipe(TEXT).dump().splitlines()
    assert lines[:2] == ["version: 1", "name: remove_vangogh"]
    assert "- method: quickfix" in [line.strip() for line in lines]
    assert not any("strength" in line for line in lines)


def test_one_line_of_json_is_a_recipe_too() -> None:
    recipe = load_recipe(TEXT)
    assert "\n" not in recipe.to_json()
    assert load_recipe(recipe.to_json() + "\n") == recipe


def test_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(TEXT, encoding="utf-8")
    assert load_recipe(tmp_path / "r.yaml") == load_recipe(str(tmp_path / "r.yaml"))


def edited(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (edited("ridge", "ridg"), "recipe:11: edits[0].ridg: unknown key; did you mean 'ridge'?"),
        (edited("seed", "sede"), "recipe:5: sede: unknown key; did you mean 'seed'?"),
        (
            edited("max", "maximum"),
            "recipe:13: expect.leak.maximum: unknown key; did you mean 'max'?",
        ),
        (
            edited("quickfix", "quikfix"),
            "recipe:7: edits[0].method: unknown method 'quikfix'; did you mean 'quickfix'?",
        ),
        (
            edited("target:", "targte:"),
            "recipe:9: edits[0].concepts[0].targte: unknown key; did you mean 'target'?",
        ),
        (
            edited("- method: quickfix\n    c", "- c"),
            "recipe:7: edits[0]: an edit names its method",
        ),
        (edited("1e-3", "-1"), "recipe:11: edits[0].ridge: must be greater than 0, got -1"),
        (edited("1e-3", ".nan"), "recipe:11: edits[0].ridge: must be a finite number"),
        (edited("1e-3", "'1'"), 'recipe:11: edits[0].ridge: must be a number, got "1"'),
        (
            edited("kind: style", "kind: stile"),
            "recipe:9: edits[0].concepts[0].kind: must be 'style', 'object' or 'fact'",
        ),
        (
            edited("van gogh, t", "1984, t"),
            "recipe:9: edits[0].concepts[0].erase: must be text, got 1984; put it in quotes",
        ),
        (edited("[monet, no]", "monet"), "recipe:10: edits[0].preserve: must be a list"),
        (edited("version: 1", "version: 2"), "recipe:1: version: must be 1, got 2"),
        (edited("name: remove_vangogh", "name: ../x"), "recipe:2: name: must match"),
        (edited("0.1", "-0.1"), "recipe:13: expect.leak.max: must be greater than or equal to 0"),
        (edited("bit_identical", "maybe"), "recipe:14: expect.untouched: must be 'bit_identical'"),
        (edited("seed: 3", "seed: 3.5"), "recipe:5: seed: must be"),
        (edited("seed: 3", "seed: yes"), 'recipe:5: seed: must be a whole number, got "yes"'),
        (edited("name: remove_vangogh\n", ""), "recipe:1: name: is missing"),
        ("version: 1\nname: x\nedits: 3\n", "recipe:3: edits: must be a list, got 3"),
        ("- 1\n- 2\n", "recipe:1: a recipe is a mapping"),
        (edited("[monet, no]", "[monet, van gogh]"), "also erased"),
        (edited("erase: van gogh", "erase: ' '"), "recipe:9: edits[0].concepts[0]"),
    ],
)
def test_a_mistake_opens_with_line_and_field(text: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("recipe:")
    assert "\n" not in str(caught.value)


def test_a_rule_about_several_keys_shows_no_value() -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(edited("[monet, no]", "[monet, Van Gogh]"))
    assert str(caught.value) == "recipe:7: edits[0]: preserve: 'Van Gogh' is also erased"


def test_several_mistakes_name_the_first_and_count_the_rest() -> None:
    with pytest.raises(RecipeError, match=r"recipe:5: sede.*1 more mistake in this recipe"):
        load_recipe(edited("seed", "sede").replace("ridge", "ridg"))


def test_keys_from_the_text_are_shown_escaped() -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe('version: 1\n"\\e[31m": 2\n')
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "r.yaml"
    if kind == "folder":
        path.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(RecipeError, match=r"r\.yaml: (no such recipe|not a regular file)"):
        load_recipe(path)


def test_a_path_that_cannot_exist_is_a_recipe_error() -> None:
    with pytest.raises(RecipeError):
        load_recipe("a\0b")


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_recipe(TEXT).seed = 4  # type: ignore[misc]


def test_the_schema_names_every_method_and_forbids_other_keys() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert "quickfix" in json.dumps(schema)
    assert "description" in json.dumps(schema)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS)
def test_any_text_survives_a_dump(description: str, model: str) -> None:
    recipe = Recipe(version=1, name="x", description=description, model=model, edits=())
    assert load_recipe(recipe.dump()) == recipe


@pytest.mark.parametrize("version", ["1.0", "true", "'1'"])
def test_a_version_is_a_whole_number(version: str) -> None:
    with pytest.raises(RecipeError, match="version: must be a whole number"):
        load_recipe(f"version: {version}\nname: x\nedits: []\n")


def test_thousands_of_mistakes_are_explained_at_once() -> None:
    mistakes = "".join(f"k{number}: v\n" for number in range(4_500))
    began = time.process_time()
    with pytest.raises(RecipeError, match="4499 more mistakes"):
        load_recipe(f"version: 1\nname: x\nedits: []\n{mistakes}")
    assert time.process_time() - began < 2


@pytest.mark.parametrize("item", ["{}", "1", '{"method":"quickfix","concepts":[1,{"a":2}]}'])
def test_half_a_million_mistakes_are_told_by_the_first_within_two_seconds(item: str) -> None:
    head = '{"version":1,"name":"x","edits":['
    text = f"{head}{','.join([item] * (190_000 // (item.count(',') + 1)))}]}}\n"
    start = time.process_time()
    with pytest.raises(RecipeError, match=r"edits\[0\].*more mistakes in this recipe"):
        load_recipe(text)
    assert time.process_time() - start < 2
