from __future__ import annotations

import pytest

from surgery import load_recipe
from surgery.errors import RecipeError
from surgery.recipe import Expect

RECIPE = """
version: 1
name: gone
edits: []
expect:
  leak: {{max: 0.5}}
  {gate}
"""


def test_limits_of_pictures_are_read_beside_those_of_weights() -> None:
    recipe = load_recipe(RECIPE.format(gate="erased: {max: 0.2}\n  kept: {min: 0.9}"))
    assert recipe.expect.pictures() == {"erased": 0.2, "kept": 0.9}
    assert recipe.expect.leak is not None


def test_without_any_there_are_none() -> None:
    assert Expect().pictures() == {}


def test_only_limits_of_leaks_and_drifts_need_the_weights_measured() -> None:
    none = Expect.model_validate({"erased": {"max": 0.1}, "untouched": "bit_identical"})
    assert not none.measures_weights
    assert Expect.model_validate({"neutral": {"p95": 0.1}}).measures_weights


def test_a_recipe_with_them_is_written_and_read_back() -> None:
    recipe = load_recipe(RECIPE.format(gate="clip_drop: {max: 1.5}"))
    assert load_recipe(recipe.dump()) == recipe


@pytest.mark.parametrize(
    ("gate", "problem"),
    [
        ("erased: {min: 0.2}", r"expect\.erased"),
        ("kept: {max: 0.2}", r"expect\.kept"),
        ("kept: {min: 1.2}", r"expect\.kept\.min"),
        ("erased: {max: -1}", r"expect\.erased\.max"),
        ("erasd: {max: 0.1}", "erased"),
    ],
)
def test_a_limit_on_the_wrong_side_is_named(gate: str, problem: str) -> None:
    with pytest.raises(RecipeError, match=problem):
        load_recipe(RECIPE.format(gate=gate))
