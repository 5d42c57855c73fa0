"""ConceptPrune masks what its scores say, and takes no others' scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from surgery.edits.conceptprune import ConceptPrune
from surgery.edits.scored import zeroed
from surgery.edits.scores import Scores
from surgery.errors import EditError

from .contract import CASES, layout, weights

CASE = CASES["conceptprune"]


def test_it_looks_at_what_leaves_the_feed_forwards() -> None:
    assert [str(site) for site in CASE.edit("conceptprune").sites(layout())] == [
        "ff.out[0]",
        "ff.out[1]",
    ]


def test_a_larger_ratio_masks_all_that_a_smaller_one_does() -> None:
    edit = CASE.edit("conceptprune")
    small, large = (
        CASE.edit("conceptprune", ratio=ratio).solve(weights(edit), CASE.context())
        for ratio in (0.1, 0.4)
    )
    for site, delta in small.items():
        assert set(delta.index.tolist()) < set(large[site].index.tolist())  # type: ignore[union-attr]


def test_what_is_masked_is_zero_to_the_last_bit() -> None:
    edit = CASE.edit("conceptprune")
    stored = {site: weight.astype(np.float32) for site, weight in weights(edit).items()}
    given = {site: weight.astype(np.float64) for site, weight in stored.items()}
    for site, delta in edit.solve(given, CASE.context()).items():
        assert not delta.added_to(stored[site]).ravel()[delta.index].any()  # type: ignore[union-attr]


def test_half_the_strength_takes_half_of_each() -> None:
    weight = np.arange(1.0, 7.0).reshape(2, 3)
    change = zeroed(weight, np.array([4, 1]), 0.5)
    assert change.index.tolist() == [1, 4]
    assert change.added_to(weight).ravel().tolist() == [1, 1, 3, 4, 2.5, 6]


def test_scores_of_another_method_are_refused() -> None:
    edit = CASE.edit("conceptprune")
    given = replace(CASE.context(), scores=Scores("attribution", {}))
    with pytest.raises(EditError, match="made by attribution, and conceptprune is solved on"):
        edit.solve(weights(edit), given)


def test_what_is_wanted_are_both_sides_of_every_prompt() -> None:
    edit = ConceptPrune.model_validate({**CASE.fields, "pictures": 3, "first": 2})
    wanted = edit.wanted(layout())
    assert wanted.sites == ("ff.out[0]", "ff.out[1]")
    assert wanted.seeds == (0, 1, 2)
    assert wanted.setting("first") == 2
    assert ("a painting by van gogh", "a painting") in wanted.pairs


@pytest.mark.parametrize("ratio", [0, -0.1, 1.5])
def test_a_ratio_is_a_share(ratio: float) -> None:
    with pytest.raises(ValidationError):
        CASE.edit("conceptprune", ratio=float(ratio))
