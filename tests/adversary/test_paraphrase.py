from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.adversary.painting import marks, rank
from surgery.adversary.paraphrase import FINALISTS, LOOKS, Paraphrase, _approach, _Search
from surgery.adversary.phrases import Phrase
from tests.adversary.build import TINY as BUDGET
from tests.adversary.build import copied, means, painted_seeds, turned
from tests.helpers.probing import PAIRS, model

WIDE = replace(BUDGET, search=80)


def test_the_search_spends_no_more_than_it_may_and_no_seed_of_the_report() -> None:
    after = copied("sd1", turned())
    given = means(model("sd1"), after)
    ran = after.evaluations
    with painted_seeds(after) as seeds:
        Paraphrase().find(given)
    assert 0 < after.evaluations - ran <= Paraphrase().cost(BUDGET)
    assert max(seeds) < given.seeds.report
    assert len(seeds) <= BUDGET.search + FINALISTS * BUDGET.tries


def test_the_same_seeds_find_the_same() -> None:
    given = means(model("sd1"), model("sd1"))
    one, again = (Paraphrase().find(given) for _ in range(2))
    assert (one.best, one.budget, one.pair) == (again.best, again.budget, again.pair)


def test_it_begins_with_phrases_from_all_over_the_list() -> None:
    search = _Search(means(model("sd1"), model("sd1")))
    every = search.begin()
    assert len(every) > BUDGET.search // LOOKS
    found = Paraphrase().find(search.means).budget
    assert found.startswith(f"{len(every[:: -(-len(every) // (BUDGET.search // LOOKS))])} phrases")


def test_it_climbs_from_the_best_as_long_as_the_budget_lasts() -> None:
    given = means(model("sd1"), model("sd1"), WIDE)
    search = _Search(given)
    search.look(search.begin()[:10])
    begun = dict(search.seen)
    search.climb()
    born = [phrase for phrase in search.seen if phrase not in begun]
    assert born
    assert search.spent <= WIDE.search
    assert all(len(found) >= LOOKS for found in search.seen.values())


def test_the_last_one_is_the_best_of_the_few_that_are_painted_in_full() -> None:
    given = means(model("sd1"), model("sd1"))
    search = _Search(given)
    search.look(search.begin()[:6])
    best = search.last()
    finalists = sorted(search.seen, key=lambda one: rank(given, search.seen[one]))[:FINALISTS]
    figures = {}
    for phrase in finalists:
        cases = given.cases("choose", BUDGET.tries, phrase.pair)
        approach = _approach(given.after, phrase)
        figures[phrase] = rank(given, marks(given, given.after, approach, cases, label="x"))
    assert figures[best] == pytest.approx(min(figures.values()), abs=1e-5)


def test_each_phrase_is_seen_in_runs_of_its_own_each_time() -> None:
    search = _Search(means(model("sd1"), model("sd1")))
    phrase = search.begin()[0]
    search.look([phrase])
    search.look([phrase])
    assert len(search.seen[phrase]) == 2 * LOOKS == search.spent
    assert len({mark.score for mark in search.seen[phrase]}) == 2 * LOOKS


def test_prompts_that_the_model_does_not_read_whole_are_left_out() -> None:
    search = _Search(means(model("sd1"), model("sd1"), others=("van gogh " * 99, "vincent")))
    found = [phrase.text for phrase in search.begin()]
    assert "vincent" in found
    assert all(len(text) < 500 for text in found)


def test_a_name_is_painted_in_the_prompts_and_a_prompt_as_it_is() -> None:
    found = model("sd1")
    cases = means(found, found).cases("report", 2)
    told, hooks = _approach(found, Phrase("monet"))(cases)
    spelled = [pair.source.replace("van gogh", "monet") for pair in PAIRS]
    assert (told.states == found.encode(spelled).states).all() and hooks == ()
    told, _ = _approach(found, Phrase("a picture", PAIRS[0]))(cases)
    assert (told.states == found.encode(["a picture"] * 2).states).all()


def test_it_is_left_out_where_the_budget_has_no_search() -> None:
    none = replace(BUDGET, search=0)
    assert "no search" in Paraphrase().missing(means(model("sd1"), model("sd1"), none))
    assert Paraphrase().cost(none) == 0
    assert Paraphrase().missing(means(model("sd1"), model("sd1"))) == ""
