"""Component removal: what is scored, what goes, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from surgery.edits.base import Context
from surgery.edits.component_removal import ComponentRemoval
from surgery.edits.delta import Delta, Sparse
from surgery.edits.names import within, words
from surgery.edits.scores import Scores, sample
from surgery.errors import EditError
from surgery.layout import Site

from .contract import CASES, layout, weights

VAN_GOGH = {"erase": "van gogh", "target": "painting"}


def edit(**fields: object) -> ComponentRemoval:
    return ComponentRemoval.model_validate({"concepts": [VAN_GOGH], **fields})


def given(**changes: object) -> Context:
    context = CASES["component_removal"].context()
    assert context.scores is not None
    return replace(context, scores=replace(context.scores, **changes))  # type: ignore[arg-type]


def solved(made: ComponentRemoval, context: Context) -> dict[Site, Delta]:
    return made.solve(weights(made), context)


def gone(made: ComponentRemoval, context: Context) -> dict[str, set[int]]:
    found = solved(made, context)
    assert all(isinstance(one, Sparse) for one in found.values())
    return {str(s): set(one.index.tolist()) for s, one in found.items() if isinstance(one, Sparse)}


def test_what_goes_is_zero_afterwards_and_all_else_stays() -> None:
    made = edit(ratio=0.1)
    for site, delta in solved(made, given()).items():
        before = weights(made)[site]
        after = delta.added_to(before)
        assert isinstance(delta, Sparse)
        assert (after.ravel()[delta.index] == 0).all()
        rest = np.setdiff1d(np.arange(before.size), delta.index)
        np.testing.assert_array_equal(after.ravel()[rest], before.ravel()[rest])


def test_the_ratio_is_of_all_weights_rounded_up() -> None:
    made = edit(ratio=0.001)
    total = sum(one.size for one in weights(made).values())
    assert sum(map(len, gone(made, given()).values())) == -(-total // 1000)


def test_only_weights_that_speak_for_the_concept_go() -> None:
    context = given()
    assert context.scores is not None
    for site, places in gone(edit(ratio=1.0), context).items():
        assert (context.scores.of(site).ravel()[list(places)] > 0).all()


def test_to_amplify_those_that_speak_against_it_go() -> None:
    context = given()
    assert context.scores is not None
    for site, places in gone(edit(ratio=1.0, goal="amplify"), context).items():
        assert (context.scores.of(site).ravel()[list(places)] < 0).all()


def test_both_sorts_go_by_their_size() -> None:
    context = given()
    both, one = (gone(edit(ratio=1.0, components=sort), context) for sort in ("both", "positive"))
    assert sum(map(len, both.values())) > sum(map(len, one.values()))


def test_what_harms_others_stays_longer() -> None:
    context = given()
    assert context.scores is not None
    first = gone(edit(ratio=0.02), context)
    # Whatever went first does all the damage now.
    held = {}
    for site, values in context.scores.values.items():
        held[site] = np.full(values.shape, 1e-3)
        held[site].ravel()[list(first.get(site, ()))] = 1e3
    second = gone(edit(ratio=0.02), given(held=held))
    assert all(not first.get(site, set()) & places for site, places in second.items())


def test_a_large_floor_makes_damage_count_for_nothing() -> None:
    draw = np.random.default_rng(1)
    context = given()
    assert context.scores is not None
    held = {site: draw.uniform(0, 1, one.shape) for site, one in context.scores.values.items()}
    guarded = given(held=held)
    assert gone(edit(ratio=0.1, floor=1e12), guarded) == gone(edit(ratio=0.1), given())
    assert gone(edit(ratio=0.1), guarded) != gone(edit(ratio=0.1), given())


def test_one_set_of_scores_serves_every_ratio() -> None:
    small, large = (gone(edit(ratio=ratio), given()) for ratio in (0.05, 0.2))
    assert all(places <= large[site] for site, places in small.items())


def test_the_published_setting_is_under_its_own_name() -> None:
    made = edit(setting="published")
    wanted = made.wanted(layout())
    assert {target for _, target in wanted.pairs} == {""}
    assert (wanted.held, wanted.steps, wanted.setting("along")) == ((), 50, "concept")
    assert (made.scope, made.ratio, made.rounding) == ("row", 0.001, "down")


def test_what_was_published_can_be_stated_otherwise() -> None:
    made = edit(setting="published", ratio=0.1, steps=20)
    assert (made.ratio, made.steps, made.scope) == (0.1, 20, "row")
    assert ComponentRemoval.model_validate(made.model_dump()) == made


def test_the_published_ratio_takes_nothing_from_narrow_rows_and_says_so() -> None:
    with pytest.raises(EditError, match="takes no weight out"):
        solved(edit(setting="published"), given())
    assert gone(edit(setting="published", rounding="up"), given())


def test_of_rows_each_gives_as_much() -> None:
    context = given()
    assert context.scores is not None
    for site, places in gone(edit(scope="row", ratio=0.1), context).items():
        values = context.scores.of(site)
        rows = np.bincount(np.array(sorted(places)) // values.shape[1], minlength=len(values))
        assert (rows == np.minimum(2, (values > 0).sum(1))).all()


def test_both_sides_of_the_prompts_are_wanted() -> None:
    pairs = edit().wanted(layout()).pairs
    assert ("a painting in the style of van gogh", "a painting") in pairs
    assert all("van gogh" in source and "van gogh" not in target for source, target in pairs)


def test_held_are_the_empty_prompt_the_target_captions_and_others_in_the_same_prompts() -> None:
    held = edit(preserve=["monet", "seurat"], held=30).wanted(layout()).held
    assert len(held) == len(set(held)) == 30
    assert held[0] == ""
    assert "a painting" in held
    assert sum(name in text for text in held for name in ("monet", "seurat")) >= 10
    assert not any(within(words("van gogh"), words(text)) for text in held)


def test_without_names_well_known_ones_are_held() -> None:
    held = edit().wanted(layout()).held
    assert len(held) == 48
    assert any("monet" in text for text in held)
    assert not any("van gogh" in text for text in held)
    assert edit(held=0).wanted(layout()).held == ()


def test_what_is_erased_is_not_held_even_where_it_is_named() -> None:
    held = edit(preserve=["van gogh", "monet"]).wanted(layout()).held
    assert not any("van gogh" in text for text in held)


def test_every_concept_is_wanted() -> None:
    other = {"erase": "monet", "target": "painting"}
    wanted = edit(concepts=[VAN_GOGH, other]).wanted(layout())
    assert {"van gogh", "monet"} == {
        name for name in ("van gogh", "monet", "seurat") if any(name in s for s, _ in wanted.pairs)
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"components": "negative"}, "goal: amplify"),
        ({"granularity": "neuron", "scope": "row"}, "many rows"),
        ({"granularity": "layer", "scope": "row"}, "many rows"),
        ({"rounding": "down"}, "rounded down"),
        ({"ratio": 0.0}, "greater than 0"),
        ({"floor": 0.0}, "greater than 0"),
        ({"pictures": 0}, "greater than or equal to 1"),
        ({"goal": "weaken"}, "goal"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        edit(**fields)


def test_scores_for_another_goal_are_refused() -> None:
    with pytest.raises(EditError, match="made to amplify"):
        solved(edit(), given(facts={"goal": "amplify"}))


def test_scores_of_another_model_are_refused() -> None:
    made = edit()
    samples = {str(site): sample(-weight) for site, weight in weights(made).items()}
    with pytest.raises(EditError, match="of another model"):
        solved(made, given(samples=samples))


def test_scores_of_another_method_are_refused() -> None:
    context = given()
    scores = Scores("conceptprune", {})
    with pytest.raises(EditError, match="conceptprune"):
        solved(edit(), replace(context, scores=scores))


def test_nothing_that_speaks_for_it_is_an_error() -> None:
    context = given()
    assert context.scores is not None
    values = {site: -np.abs(one) for site, one in context.scores.values.items()}
    with pytest.raises(EditError, match="takes no weight out"):
        solved(edit(), given(values=values))
