from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.errors import UsageError
from surgery.layout import Layout, detect
from surgery.probes.base import Substitute
from surgery.probes.locogen import LocoGen
from surgery.probes.windows import selector
from surgery.report import Score
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.probing import model


@pytest.fixture(scope="module")
def layout() -> Layout:
    """Ten layers, of which nothing says how many make a window."""
    return detect(open_checkpoint("atelier"))


def scores(size: int, effects: dict[int, float], count: int = 10) -> list[Score]:
    return [
        Score(selector(first, first + size), 0.0, 0.0, 4, effects.get(first, 0.0))
        for first in range(count - size + 1)
    ]


def test_anchors_replace_nothing_and_every_layer(layout: Layout) -> None:
    source, target = LocoGen().anchors(layout)
    assert source.intervention == Substitute(0, 0)
    assert target.intervention == Substitute(0, 10)


def test_a_window_says_which_layers_it_replaces(layout: Layout) -> None:
    for arm in LocoGen(window=3).arms(layout, ()):
        what = arm.intervention
        assert isinstance(what, Substitute)
        assert arm.site == selector(what.first, what.stop)
        assert what.stop - what.first == 3


def test_without_a_size_windows_grow_until_one_suffices(layout: Layout) -> None:
    probe, scored = LocoGen(), list[Score]()
    assert len(probe.arms(layout, scored)) == 10
    scored += scores(1, {4: 0.5})
    assert len(probe.arms(layout, scored)) == 9
    assert probe.found(scored) == ("", tuple(scored))
    scored += scores(2, {4: 0.95, 5: 0.93})
    assert probe.arms(layout, scored) == ()
    assert probe.found(scored) == (selector(4, 6), tuple(scored[10:]))


def test_windows_grow_to_half_of_the_layers_and_no_further(layout: Layout) -> None:
    probe, scored = LocoGen(), list[Score]()
    for size in range(1, 6):
        assert {arm.site for arm in probe.arms(layout, scored)} == {
            selector(first, first + size) for first in range(11 - size)
        }
        scored += scores(size, {0: 0.6})
    assert probe.arms(layout, scored) == ()
    assert probe.found(scored)[0] == ""


def test_a_size_that_was_given_is_the_only_one(layout: Layout) -> None:
    probe = LocoGen(window=2)
    assert len(probe.arms(layout, ())) == 9
    assert probe.arms(layout, scores(2, {})) == ()


def test_the_threshold_and_the_stride_are_those_given(layout: Layout) -> None:
    tried = scores(2, {3: 0.6})
    assert LocoGen(window=2).found(tried)[0] == ""
    assert LocoGen(window=2, threshold=0.6).found(tried)[0] == selector(3, 5)
    found = [arm.site for arm in LocoGen(window=2, stride=5).arms(layout, ())]
    assert found == [selector(0, 2), selector(5, 7), selector(8, 10)]


def test_of_equal_windows_the_first_is_found(layout: Layout) -> None:
    assert LocoGen(window=2).found(scores(2, {3: 1.0, 7: 1.0}))[0] == selector(3, 5)


def test_a_layout_says_how_many_layers_make_a_window() -> None:
    layout = model("sd1").layout
    assert layout.probing is not None
    size, stride = layout.probing
    first = LocoGen().arms(layout, ())
    assert first == LocoGen(window=size, stride=stride).arms(layout, ())
    assert LocoGen().arms(layout, scores(size, {}, 16)) == ()
    assert len(LocoGen(window=5).arms(layout, ())) == 12


def test_more_layers_than_there_are_make_no_window(layout: Layout) -> None:
    assert len(LocoGen(window=10).arms(layout, ())) == 1
    with pytest.raises(UsageError, match="a window of 11 layers, and the model has 10"):
        LocoGen(window=11).arms(layout, ())


def test_what_is_near_the_threshold_is_not_rounded(layout: Layout) -> None:
    (one, *rest) = scores(2, {0: 0.8999999})
    assert LocoGen(window=2).found([one, *rest])[0] == ""
    assert LocoGen(window=2).found([replace(one, effect=0.9), *rest])[0] == selector(0, 2)
