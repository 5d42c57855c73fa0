from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surgery.edits.base import Ask, Context
from surgery.edits.speed import Speed
from surgery.errors import EditError

from .contract import PARTLY, context, layout, weights
from .papers import speed as as_published


def edit(**fields: object) -> Speed:
    return Speed.model_validate({**PARTLY, **fields})


def hard(count: int = 2) -> Context:
    """The states with some that count without bound."""
    given = context()
    firm = given.preserve_weights.copy()
    firm[:count] = np.inf
    return replace(given, preserve_weights=firm)


def step(made: Speed, given: Context) -> tuple[np.ndarray, np.ndarray]:
    site, before = next(iter(weights(made).items()))
    return before, made.solve({site: before}, given)[site].of(before).up @ (
        made.solve({site: before}, given)[site].of(before).down
    )


@pytest.mark.parametrize("selective", [True, False])
@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("count", [0, 2])
def test_it_is_what_the_paper_computes(selective: bool, strength: float, count: int) -> None:
    made, given = edit(selective=selective, strength=strength), hard(count)
    before, found = step(made, given)
    expected = as_published(made, before, given, given.preserve[:count])
    assert np.linalg.norm(expected) > 0.01
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


def test_invariants_do_not_move_at_all() -> None:
    given = hard()
    _, found = step(edit(), given)
    np.testing.assert_allclose(given.preserve[:2] @ found.T, 0, atol=1e-12)


def test_what_is_held_moves_no_further_than_its_lesser_directions_let_it() -> None:
    given = context()
    _, tight = step(edit(selective=False, threshold=1e-9), given)
    np.testing.assert_allclose(given.preserve @ tight.T, 0, atol=1e-11)
    _, loose = step(edit(selective=False), given)
    assert np.linalg.norm(given.preserve @ loose.T) > 0.01


def test_it_edits_values_only_unless_told_otherwise() -> None:
    assert {site.kind for site in edit().sites(layout())} == {"cross_attn.v"}
    both = edit(where="cross_attn.{k,v}[0]").sites(layout())
    assert [str(site) for site in both] == ["cross_attn.k[0]", "cross_attn.v[0]"]


@pytest.mark.parametrize("defaults", [True, False])
def test_the_begin_token_and_the_empty_prompt_are_invariants(defaults: bool) -> None:
    held = edit(preserve_defaults=defaults, preserve=["monet"]).asks(layout()).preserve
    firm = [ask for ask in held if np.isinf(ask.weight)]
    assert [(ask.prompt, ask.position) for ask in firm] == [("", "bos"), ("", "eos")]
    assert not [ask for ask in held if ask.position == "bos" and ask not in firm]


def test_holding_every_direction_is_an_error_that_says_what_to_do() -> None:
    given = context(m=60)
    with pytest.raises(EditError, match="takes all 16 directions") as error:
        edit(selective=False, threshold=1e-9).solve(weights(edit()), given)
    assert "threshold" in error.value.hint


def test_how_firmly_is_no_setting_of_it() -> None:
    assert "preserve_scale" not in Speed.model_fields


def test_it_holds_nothing_soft_where_nothing_is_held() -> None:
    given = replace(context(m=0), preserve_weights=np.zeros(0))
    before, found = step(edit(), given)
    assert np.linalg.norm(found) > 0.1 * np.linalg.norm(before)


def test_the_empty_prompt_has_its_own_state_in_the_solve() -> None:
    assert Ask("", None, "eos", np.inf) in edit().asks(layout()).preserve
