from __future__ import annotations

from functools import partial

import pytest
import torch

from surgery.adversary.painting import plain
from surgery.adversary.rece import PLACES, RIDGES, Rece, _variants
from tests.adversary.build import (
    TINY as BUDGET,
)
from tests.adversary.build import (
    copied,
    latents,
    means,
    painted_seeds,
    projection,
    retold,
    turned,
)
from tests.helpers.probing import model


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm())


@pytest.mark.parametrize("family", ("sd1", "sd2", "sdxl"))
def test_what_one_map_took_from_all_keys_and_values_comes_back(family: str) -> None:
    before, after = model(family), copied(family, turned())
    given = means(before, after)
    cases = given.cases("report", 2)
    old, edited = (latents(one, plain(one), cases) for one in (before, after))
    attacked = latents(after, _variants(given)["ridge 0.001, at every token"], cases)
    assert distance(attacked, old) < 0.35 * distance(edited, old)


def test_only_the_names_tokens_are_changed_where_no_more_is_asked_for() -> None:
    before, after = model("sd1"), copied("sd1", turned())
    given = means(before, after)
    (case,) = given.cases("report", 1)
    told, hooks = _variants(given)["ridge 0.001, at the name's tokens"]([case])
    fed = hooks[0].change(torch.zeros(0))
    first, last = before.tokens().subject_span(case.pair.source, case.pair.subject)
    changed = (fed != before.context(told)).any(-1)[0].nonzero().flatten().tolist()
    assert changed == list(range(first, last + 1))
    assert len(hooks) == len(after.modules("cross_attn"))


def test_outputs_of_every_key_and_value_are_nearer_to_the_old_ones() -> None:
    before, after = model("sd1"), copied("sd1", turned())
    given = means(before, after)
    cases = given.cases("report", 1)
    told, hooks = _variants(given)["ridge 0.001, at every token"](cases)
    context, fed = before.context(told), hooks[0].change(torch.zeros(0))
    layers = zip(before.modules("cross_attn"), after.modules("cross_attn"), strict=True)
    for old, new in layers:
        for name in ("k", "v"):
            wanted = projection(old, name)(context)
            plainly, found = (projection(new, name)(one) for one in (context, fed))
            assert distance(found, wanted) < 0.2 * distance(plainly, wanted)


def test_the_best_variant_is_chosen_without_a_seed_of_the_report() -> None:
    before, after = model("sd1"), copied("sd1", turned())
    given = means(before, after)
    with painted_seeds(after) as seeds:
        found = Rece().find(given)
    assert found.best in _variants(given)
    assert seeds and max(seeds) < given.seeds.report
    assert Rece().find(given).best == found.best


def test_it_costs_what_it_says() -> None:
    before, after = model("sd1"), copied("sd1", turned())
    ran = after.evaluations
    Rece().find(means(before, after))
    assert after.evaluations - ran == Rece().cost(BUDGET)
    assert len(RIDGES) * len(PLACES) == 4


def test_where_no_key_or_value_was_edited_it_is_not_tried() -> None:
    before = model("sd1")
    assert "'states'" in Rece().missing(means(before, copied("sd1", retold)))
    assert Rece().missing(means(before, copied("sd1", turned()))) == ""


def test_where_text_is_normed_before_it_is_read_there_is_no_closed_form() -> None:
    assert "norms its text" in Rece().missing(means(model("if"), copied("if", turned())))


def test_an_unedited_model_gets_the_old_states_back() -> None:
    before = model("sd1")
    given = means(before, copied("sd1", turned(0.0)))
    told, hooks = _variants(given)["ridge 0.001, at every token"](given.cases("report", 1))
    fed = partial(hooks[0].change, torch.zeros(0))()
    assert torch.allclose(fed, before.context(told), rtol=0.2, atol=0.05)
