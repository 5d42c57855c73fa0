from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from surgery.adversary.inversion import Inversion, _examples, _learn, _loss, _table
from surgery.adversary.painting import plain
from surgery.questions import Pair
from tests.adversary.build import TINY as BUDGET
from tests.adversary.build import copied, latents, means, painted_seeds, retold, values
from tests.helpers.probing import QUESTION, TINY, model


@pytest.mark.parametrize("family", TINY)
def test_every_family_learns_for_every_text_tower(family: str) -> None:
    before, after = model(family), copied(family, retold)
    given = means(before, after)
    untouched = values(after)
    learned = _learn(given, _examples(given))
    assert set(learned) == set(after.towers)
    for tower, vectors in learned.items():
        first, last = after.tokens(tower).subject_span(
            QUESTION.pairs[0].source, QUESTION.pairs[0].subject
        )
        assert vectors.shape == (last - first + 1, _table(after, tower).shape[1])
        assert torch.isfinite(vectors).all() and not vectors.requires_grad
    assert all(torch.equal(one, other) for one, other in zip(untouched, values(after), strict=True))


def test_what_is_learned_tells_the_noise_better_than_the_edited_name() -> None:
    before, after = model("sd1"), copied("sd1", retold)
    given = means(before, after, replace(BUDGET, updates=15, rows=4))
    examples = _examples(given)
    learned = _learn(given, examples)
    first, last = after.tokens().subject_span(
        examples.cases[0].pair.source, examples.cases[0].pair.subject
    )
    ids = after.tokens().encode(examples.cases[0].pair.source)[first : last + 1]
    name = {"text": _table(after, "text")[list(ids)]}
    draws = [torch.Generator().manual_seed(1) for _ in range(2)]
    with torch.no_grad():
        plainly, found = (
            _loss(after, vectors, examples, 16, draw)
            for vectors, draw in zip((name, learned), draws, strict=True)
        )
    assert found < plainly


def test_the_same_seeds_learn_the_same_and_others_something_else() -> None:
    before, after = model("sd1"), copied("sd1", retold)
    given = means(before, after)
    one, again = (_learn(given, _examples(given))["text"] for _ in range(2))
    assert torch.equal(one, again)
    seeds = replace(given.seeds, choose=7_000_000)
    assert not torch.equal(one, _learn(replace(given, seeds=seeds), _examples(given))["text"])


def test_only_the_names_tokens_are_exchanged_and_no_hook_is_left() -> None:
    before, after = model("sd1"), copied("sd1", retold)
    given = means(before, after)
    cases = given.cases("report", 2)
    old = latents(after, plain(after), cases)
    found = Inversion().find(given)
    assert not torch.allclose(latents(after, found.approach, cases), old)
    told, hooks = found.approach(cases)
    said = after.encode([case.pair.source for case in cases])
    first, _ = after.tokens().subject_span(cases[0].pair.source, cases[0].pair.subject)
    assert torch.equal(told.states[0, :first], said.states[0, :first])
    assert hooks == ()
    assert torch.equal(latents(after, plain(after), cases), old)


def test_it_learns_without_a_seed_of_the_report() -> None:
    before, after = copied("sd1", lambda found: None), copied("sd1", retold)
    given = means(before, after)
    with painted_seeds(before) as seeds:
        Inversion().find(given)
    assert sorted(seeds) == [case.seed for case in given.cases("choose", BUDGET.examples)]


def test_progress_adds_up_to_what_it_costs() -> None:
    told: list[int] = []
    before, after = model("sd1"), copied("sd1", retold)
    given = means(before, after, on_step=lambda label, done: told.append(done))
    Inversion().find(given)
    assert sum(told) == Inversion().cost(BUDGET)


def test_it_is_left_out_where_the_budget_has_no_updates() -> None:
    none = replace(BUDGET, updates=0)
    given = means(model("sd1"), copied("sd1", retold), none)
    assert "no updates" in Inversion().missing(given)
    assert Inversion().cost(none) == 0
    assert Inversion().missing(replace(given, budget=BUDGET)) == ""


def test_a_concept_that_is_spelled_in_several_lengths_is_not_learned() -> None:
    pairs = (*QUESTION.pairs, Pair("a cat by monet and picasso", "a cat", "monet and picasso"))
    given = means(model("sd1"), copied("sd1", retold))
    mixed = replace(given, question=replace(QUESTION, pairs=pairs))
    assert "different numbers of tokens" in Inversion().missing(mixed)
