from __future__ import annotations

from collections import Counter

import pytest

from surgery.errors import UsageError
from surgery.layout import Layout, detect
from surgery.probes.base import Substitute
from surgery.probes.quick import ENOUGH, Quick
from surgery.probes.windows import selector, width
from surgery.report import Score
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.probing import model


@pytest.fixture(scope="module")
def layout() -> Layout:
    """Ten layers, of which nothing says how many make a window."""
    return detect(open_checkpoint("atelier"))


def scores(effects: dict[tuple[int, int], float], *, sizes: tuple[int, ...]) -> list[Score]:
    """All windows of ten layers; those that are not named do nothing."""
    return [
        Score(selector(n, n + size), 0.0, 0.0, 4, effects.get((n, n + size), 0.0))
        for size in sizes
        for n in range(11 - size)
    ]


def test_where_the_size_is_open_every_size_up_to_half_the_layers_is_tried_at_once(
    layout: Layout,
) -> None:
    arms = Quick().arms(layout, ())
    assert Counter(width(arm.site) for arm in arms) == {1: 10, 2: 9, 3: 8, 4: 7, 5: 6}
    for arm in arms:
        assert isinstance(arm.intervention, Substitute)
        assert arm.site == selector(arm.intervention.first, arm.intervention.stop)
    assert Quick().arms(layout, scores({}, sizes=(1,))) == ()


def test_where_a_size_is_given_it_is_the_only_one(layout: Layout) -> None:
    arms = Quick(window=7).arms(layout, ())
    assert [arm.site for arm in arms] == [selector(n, n + 7) for n in range(4)]
    found = [arm.site for arm in Quick(window=2, stride=5).arms(layout, ())]
    assert found == [selector(0, 2), selector(5, 7), selector(8, 10)]
    with pytest.raises(UsageError, match="a window of 11 layers, and the model has 10"):
        Quick(window=11).arms(layout, ())


def test_a_layout_that_says_the_size_leaves_it_not_open() -> None:
    own = model("sd1").layout
    assert own.probing is not None
    assert {width(arm.site) for arm in Quick().arms(own, ())} == {own.probing[0]}


def test_the_smallest_size_that_suffices_is_taken_though_larger_ones_do_more() -> None:
    tried = scores({(4, 5): 0.7, (4, 6): 0.85, (5, 7): 0.83, (3, 6): 1.0}, sizes=(1, 2, 3))
    found, same = Quick().found(tried)
    assert found == selector(4, 6)
    assert same == tuple(one for one in tried if width(one.site) == 2)


def test_where_no_window_suffices_none_is_found_and_the_largest_are_told() -> None:
    tried = scores({(4, 5): 0.79, (2, 5): 0.7}, sizes=(1, 2, 3))
    assert Quick().found(tried) == ("", tuple(one for one in tried if width(one.site) == 3))


@pytest.mark.parametrize(("threshold", "found"), [(0.6, selector(4, 5)), (0.95, "")])
def test_the_threshold_is_the_one_given(threshold: float, found: str) -> None:
    tried = scores({(4, 5): 0.6, (4, 6): 0.9}, sizes=(1, 2))
    assert Quick(threshold=threshold).found(tried)[0] == found


def test_what_is_near_the_threshold_is_not_rounded() -> None:
    assert Quick().found(scores({(4, 5): ENOUGH - 1e-9}, sizes=(1,)))[0] == ""
    assert Quick().found(scores({(4, 5): ENOUGH}, sizes=(1,)))[0] == selector(4, 5)


def test_of_equal_windows_the_first_is_found() -> None:
    assert Quick().found(scores({(3, 5): 1.0, (7, 9): 1.0}, sizes=(2,)))[0] == selector(3, 5)
