from __future__ import annotations

import pytest

from surgery.layout import Layout, detect
from surgery.probes.base import Substitute
from surgery.probes.check import Check
from surgery.probes.locogen import LocoGen
from surgery.probes.windows import bounds, selector
from surgery.report import Score
from surgery.store.checkpoint import open_checkpoint

ONES = tuple(selector(n, n + 1) for n in (4, 2, 9, 0))
TWOS = tuple(selector(n, n + 2) for n in (3, 4))
RANKING = (*ONES, *TWOS)


@pytest.fixture(scope="module")
def layout() -> Layout:
    return detect(open_checkpoint("atelier"))


def tried(probe: Check, layout: Layout, scored: list[Score]) -> list[str]:
    return [arm.site for arm in probe.arms(layout, scored)]


def scores(*effects: tuple[str, float]) -> list[Score]:
    return [Score(site, 1 - effect, 0.0, 4, effect) for site, effect in effects]


def test_anchors_are_those_of_locogen(layout: Layout) -> None:
    assert Check(RANKING).anchors(layout) == LocoGen().anchors(layout)


@pytest.mark.parametrize("count", [1, 3, 9])
def test_the_best_few_of_the_smallest_size_come_first(layout: Layout, count: int) -> None:
    arms = Check(RANKING, count).arms(layout, ())
    assert [arm.site for arm in arms] == list(ONES[:count])
    assert all(arm.intervention == Substitute(*bounds(arm.site)) for arm in arms)


def test_it_goes_on_to_the_next_size_where_none_suffices(layout: Layout) -> None:
    probe, scored = Check(RANKING, 2), scores((ONES[0], 0.5), (ONES[1], 0.89))
    assert tried(probe, layout, scored) == list(TWOS)
    assert probe.found(scored)[0] == ""
    scored += scores((TWOS[0], 0.7), (TWOS[1], 0.6))
    assert tried(probe, layout, scored) == []
    assert probe.found(scored) == ("", tuple(scored))


def test_it_stops_at_the_first_size_of_which_one_suffices(layout: Layout) -> None:
    probe, scored = Check(RANKING, 2), scores((ONES[0], 0.5), (ONES[1], 0.9))
    assert tried(probe, layout, scored) == []
    assert probe.found(scored) == (ONES[1], tuple(scored))


def test_it_stops_by_the_threshold_that_was_given(layout: Layout) -> None:
    scored = scores((ONES[0], 0.5), (ONES[1], 0.4))
    assert tried(Check(RANKING, 2, threshold=0.5), layout, scored) == []
    assert Check(RANKING, 2, threshold=0.5).found(scored)[0] == ONES[0]


def test_sizes_need_not_follow_one_another(layout: Layout) -> None:
    far = selector(1, 6)
    assert tried(Check((*ONES, far)), layout, scores((ONES[0], 0.1))) == [far]
