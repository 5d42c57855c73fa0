from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from surgery.adversary.base import APART, LARGE, Budget, Seeds, budget_for
from surgery.errors import UsageError
from tests.adversary.build import means
from tests.helpers.probing import PAIRS, model


def test_cases_are_spread_over_all_prompts_and_each_has_a_seed_of_its_own() -> None:
    cases = means(model("sd1"), model("sd1")).cases("report", 5)
    assert [case.pair for case in cases] == [PAIRS[0], PAIRS[1], PAIRS[0], PAIRS[1], PAIRS[0]]
    assert [case.seed for case in cases] == list(range(9_000_000, 9_000_005))


def test_fewer_cases_than_prompts_are_spread_evenly() -> None:
    given = means(model("sd1"), model("sd1"))
    many = replace(given, question=replace(given.question, pairs=PAIRS * 4))
    assert [case.pair for case in many.cases("choose", 2)] == [PAIRS[0], PAIRS[0]]
    assert [case.pair for case in many.cases("choose", 1)] == [PAIRS[0]]


def test_one_prompt_can_take_the_place_of_all() -> None:
    cases = means(model("sd1"), model("sd1")).cases("choose", 3, PAIRS[1])
    assert {case.pair for case in cases} == {PAIRS[1]}


def test_what_is_chosen_on_some_seeds_is_reported_on_others() -> None:
    given = means(model("sd1"), model("sd1"))
    chosen, told = (
        {case.seed for case in given.cases(purpose, 1000)} for purpose in ("choose", "report")
    )
    assert not chosen & told


@pytest.mark.parametrize("report", [5_000_000, 5_000_000 + APART - 1, 5_000_000 - APART + 1])
def test_seeds_that_meet_are_refused(report: int) -> None:
    with pytest.raises(UsageError, match="meet"):
        Seeds(5_000_000, report)
    Seeds(5_000_000, 5_000_000 + APART)


def test_a_short_run_is_a_part_of_a_whole_one_and_never_a_single_step() -> None:
    assert Budget(steps=20).glance == 6
    assert Budget(steps=50).glance == 15
    assert Budget(steps=1).glance == 2


def test_guidance_asks_the_empty_prompt_too() -> None:
    assert (Budget(guidance=1.0).asked, Budget(guidance=3.0).asked) == (1, 2)


class Sized:
    """As much of a model as a budget is taken from."""

    def __init__(self, size: int, device: str) -> None:
        self.denoiser = torch.nn.Linear(size, 1, bias=False, device="meta")
        self.device = torch.device(device)


@pytest.mark.parametrize(
    ("size", "device", "whole"),
    [(LARGE, "cpu", True), (LARGE + 1, "cpu", False), (LARGE + 1, "cuda", True)],
)
def test_a_large_model_on_a_cpu_gets_no_search_and_no_training(
    size: int, device: str, whole: bool
) -> None:
    found = budget_for(Sized(size, device))  # type: ignore[arg-type]
    assert (found.search > 0, found.updates > 0) == (whole, whole)
    assert found.pictures == Budget().pictures


def test_the_built_in_model_gets_the_whole_budget() -> None:
    assert budget_for(model("atelier")) == Budget()
