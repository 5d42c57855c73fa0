"""Probing from Python, by an address and a concept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgery.errors import UsageError
from surgery.localise.probe import probe
from surgery.recipe import load_recipe
from surgery.report import ProbeReport, SurveyReport
from tests.helpers.probing import folder

FEW = {"prompts": 1, "seeds": 1, "steps": 2, "guidance": 1.0}


def test_a_concept_is_found_by_its_name_alone(tmp_path: Path) -> None:
    found = probe("atelier", "van gogh", method="locogen", window=5, stride=5, **FEW)
    assert isinstance(found, ProbeReport)
    assert (found.model, found.concept, found.sort) == ("atelier", "van gogh", "style")
    assert [one.site for one in found.scores] == ["cross_attn.{k,v}[0:5]", "cross_attn.{k,v}[5:10]"]
    (tmp_path / "report.json").write_text(found.to_json())
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "version: 1\nname: r\nedits:\n  - method: locoedit\n"
        "    concepts: [{erase: van gogh, target: painting}]\n"
        "    where: {from: report.json, top: 1}\n"
    )
    (edit,) = load_recipe(recipe).edits
    assert edit.model_dump()["where"] == found.top(1)[0]


def test_without_a_concept_each_sort_is_surveyed(method: str = "locogen") -> None:
    found = probe("atelier", method=method, window=9, per_sort=1, **FEW)
    assert isinstance(found, SurveyReport)
    assert [one.sort for one in found.sorts] == list(dict.fromkeys(o.sort for o in found.reports))
    assert {len(one.scores) for one in found.reports} == {2}


def test_a_judge_may_be_a_function_of_pictures() -> None:
    def redness(pictures: np.ndarray, question: object) -> list[float]:
        return [float(one[..., 0].mean()) for one in pictures]

    found = probe("atelier", "star", method="locogen", window=10, judge=redness, **FEW)
    assert isinstance(found, ProbeReport)
    assert "redness" in found.judge
    assert found.scores[0].mean == pytest.approx(found.anchors[1].mean)
    assert found.scores[0].effect == pytest.approx(1)


def test_a_model_of_the_wide_world_is_judged_by_its_own_noise() -> None:
    found = probe(folder("if"), "van gogh", method="locogen", window=10, **FEW)
    assert isinstance(found, ProbeReport)
    assert found.judge == "noise"
    assert found.settings["resolution"] == 16


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "locogan"}, "there is no probe 'locogan'"),
        ({"judge": "atelir"}, "there is no judge"),
        ({"device": "nonsense"}, "no device is called 'nonsense'"),
        ({"method": "locogen", "window": 99}, "a window of 99 layers, and the model has 10"),
        ({"batch": 0}, "batch must be 1 or more"),
        ({"resolution": 7}, "7"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_sentence(settings: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        probe("atelier", "van gogh", **{**FEW, **settings})
    assert "\n" not in str(caught.value)
