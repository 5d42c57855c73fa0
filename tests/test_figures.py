from __future__ import annotations

import numpy as np
import pytest

from surgery.edits.base import Context
from surgery.edits.checks import Checked
from surgery.edits.delta import Mapped
from surgery.errors import EditError
from surgery.figures import REACH, WORST, Meter, SolvedEdit
from surgery.layout import Site
from surgery.numerics.adversarial import worst_leak
from surgery.report import Drift, Spread
from tests.helpers.recipes import recipe

SITE, OTHER = Site("text.self_attn.out", 0, "t"), Site("text.self_attn.out", 1, "u")
W = np.eye(3)
CONTEXT = Context(
    keys=np.array([[1.0, 0, 0], [0, 2.0, 0]]),
    targets=np.array([[0, 1.0, 0], [0, 0, 2.0]]),
    preserve=np.array([[0, 0, 1.0], [0, 0, 2.0], [0, 1.0, 0]]),
    key_labels=("van gogh", "van gogh"),
    preserve_labels=("monet", "monet", "seurat"),
    key_weights=np.ones(2),
    preserve_weights=np.ones(3),
)
CHECKED = Checked(
    keys=CONTEXT.keys[[0, 1, 0]],
    targets=CONTEXT.targets[[0, 1, 1]],
    wordings=("prompts", "prompts", "misspellings"),
    concepts=("van gogh",) * 3,
    neutral=np.array([[1.0, 1, 0], [0, 0, 3.0]]),
    neutral_labels=("a lake", "a stone"),
)
SOLVED = SolvedEdit(0, recipe().edits[0], CONTEXT, CHECKED, (SITE, OTHER))


def meter(*afters: np.ndarray) -> Meter:
    found = Meter(SOLVED)
    for site, after in zip((SITE, OTHER), afters, strict=False):
        found.add(site, W, after)
    return found


def drift(group: str, found: Meter) -> Drift:
    return next(drift for drift in found.drifts() if drift.group == group)


def test_leak_is_zero_where_a_key_gives_what_its_target_gives() -> None:
    after = np.array([[0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    own, other = meter(after).leaks()
    assert (own.concept, own.target, own.wording) == ("van gogh", "painting", "prompts")
    assert own.figure == Spread(0.0, 0.0, 0.0, 0.0, 2)
    assert (other.wording, other.figure.count) == ("misspellings", 1)
    assert other.figure.max == pytest.approx(1.0)


def test_leak_is_one_where_nothing_happened_and_half_half_way() -> None:
    goal = np.array([[0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    own, _ = meter(W, (W + goal) / 2).leaks()
    assert own.figure == Spread(0.5, 0.75, 1.0, 1.0, 4)


def test_drift_is_told_by_group_in_shares_of_the_output() -> None:
    found = meter(W + np.diag([0, 0, 0.5]))
    preserved, neutral = drift("preserved", found), drift("neutral", found)
    assert (preserved.prompts, preserved.figure) == (2, Spread(0.0, 0.5, 0.5, 0.5, 3))
    assert (neutral.prompts, neutral.figure.max) == (2, 0.5)
    assert [moved.prompt for moved in neutral.most] == ["a stone", "a lake"]


def test_each_site_has_its_own_row() -> None:
    first, second = meter(W, W + np.diag([0, 0, 0.5])).by_site()
    assert (first.site, second.site) == ("text.self_attn.out[0]", "text.self_attn.out[1]")
    assert first.drift and first.drift.max == 0
    assert second.drift and second.drift.max == 0.5


def test_the_neighbours_are_preserved_names_that_are_like_the_concept() -> None:
    near = drift("neighbours", meter(W))
    assert near.prompts <= 2
    assert {moved.prompt for moved in near.most} <= {"monet", "seurat"}


def test_the_worst_case_is_of_the_own_prompts_and_of_all_sites_at_once() -> None:
    left, right = np.array([[1.0], [-1.0], [0.0]]), np.array([[-0.5, 0.5, 0.0]])
    found = Meter(SOLVED, Mapped(left, right))
    for site, weight in ((SITE, W), (OTHER, np.diag([1.0, 2.0, 3.0]))):
        found.add(site, weight, Mapped(left, right).added_to(weight))
    *_, worst = found.leaks()
    assert (worst.concept, worst.target, worst.wording) == ("van gogh", "painting", WORST)
    gram = np.diag([2.0, 5.0, 10.0])
    own = CHECKED.keys[:2], CHECKED.targets[:2]
    expected = worst_leak(*own, gram, (left, right), REACH)
    assert worst.figure == Spread.of(expected.tolist())


def test_where_each_site_has_a_change_of_its_own_there_is_no_worst_case() -> None:
    assert WORST not in {leak.wording for leak in meter(W, W).leaks()}


def test_a_prompt_without_an_output_is_an_error() -> None:
    found = Meter(SOLVED)
    found.add(SITE, np.zeros((3, 3)), W)
    with pytest.raises(EditError, match="no output to compare with"):
        list(found.drifts())
