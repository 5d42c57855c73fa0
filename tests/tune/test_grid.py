from __future__ import annotations

import pytest

from surgery.edits import EDITS
from surgery.edits.base import Edit
from surgery.errors import UsageError
from surgery.recipe import load_recipe
from surgery.tune.grid import read_axes, trials


def edit(method: str = "uce", more: str = "") -> Edit:
    concept = "{erase: van gogh, target: painting}"
    text = f"version: 1\nname: x\nedits:\n- {{method: {method}, concepts: [{concept}]{more}}}"
    return load_recipe(text + "\n").edits[0]


def test_an_axis_is_a_key_and_values_as_a_recipe_writes_them() -> None:
    assert read_axes(["ridge=0.001,1e-2", "positions=last, eos", "pooled=true,null"]) == {
        "ridge": (0.001, 0.01),
        "positions": ("last", "eos"),
        "pooled": (True, None),
    }


def test_commas_in_brackets_and_quotes_are_part_of_a_value() -> None:
    texts = ["where=cross_attn.{k,v}[2:5],'cross_attn.k[1], cross_attn.v[2]'"]
    assert read_axes(texts) == {
        "where": ("cross_attn.{k,v}[2:5]", "cross_attn.k[1], cross_attn.v[2]")
    }


def test_the_same_key_again_adds_values() -> None:
    assert read_axes(["ridge=0.1", "ridge=0.2"]) == {"ridge": (0.1, 0.2)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ridge", "is no axis of a grid"),
        ("=1", "is no axis of a grid"),
        ("ridge=", "names an empty value"),
        ("ridge=0.1,,0.2", "names an empty value"),
        ("ridge={a: 1}", "is no single value"),
        ("ridge=&a 1", "is no value of a recipe"),
    ],
)
def test_what_is_no_axis_is_told(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_axes([text])


@pytest.mark.parametrize(
    ("axes", "problem"),
    [
        ({"rigde": (0.1,)}, "uce has no setting 'rigde'; did you mean 'ridge'?"),
        ({"concepts": ("a",)}, "'concepts' says what the edit does"),
        ({"ridge": ()}, "--grid ridge: names no value"),
        ({"ridge": (0.0,)}, "--grid ridge: must be greater than 0, got 0"),
        ({"ridge": ("much",)}, '--grid ridge: must be a valid number, got "much"'),
        ({"positions": ("lst",)}, "--grid positions: must be 'last', 'eos'"),
        ({"strength": (0.0, 1.0)}, "strength 0 changes nothing"),
        ({"ridge": tuple(n + 1.0 for n in range(9000))}, "9,000 points, where 5,000 are tried"),
    ],
)
def test_what_the_edit_does_not_take_is_told(
    axes: dict[str, tuple[str | float, ...]], problem: str
) -> None:
    with pytest.raises(UsageError) as caught:
        trials(edit(), axes)
    assert problem in str(caught.value)


def test_every_combination_is_tried_once_and_the_own_settings_come_first() -> None:
    found, axes = trials(edit(), {"ridge": (0.1, 0.001, 0.1), "positions": ("last", "eos")})
    assert axes == {"ridge": [0.1, 0.001], "positions": ["last", "eos"]}
    assert len(found) == 4
    assert found[0].edit == edit()
    assert {(one.edit.ridge, one.edit.positions) for one in found} == {  # type: ignore[attr-defined]
        *((0.1, "last"), (0.1, "eos"), (0.001, "last"), (0.001, "eos"))
    }


def test_the_own_settings_are_tried_even_where_the_grid_has_others() -> None:
    found, _ = trials(edit(more=", ridge: 0.5"), {"ridge": (0.1,)})
    assert [one.settings["ridge"] for one in found] == [0.5, 0.1]


@pytest.mark.parametrize("method", EDITS)
def test_every_method_has_a_usual_grid_that_its_schema_accepts(method: str) -> None:
    own = edit(method)
    found, axes = trials(own)
    assert len(found) > 2
    assert {"strength"} <= set(axes)
    for one in found[:: max(1, len(found) // 20)]:
        again = type(own).model_validate_json(one.edit.model_dump_json())
        assert again == one.edit
