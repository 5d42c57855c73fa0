from __future__ import annotations

import pytest

from surgery.errors import UsageError
from surgery.layout import Layout, detect
from surgery.probes.weights import Weights
from surgery.probes.windows import selector, width
from surgery.report import Score
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.probing import model


@pytest.fixture(scope="module")
def layout() -> Layout:
    """Ten layers, of which nothing says how many make a window."""
    return detect(open_checkpoint("atelier"))


def test_without_a_size_windows_are_a_quarter_of_the_layers_rounded_up(layout: Layout) -> None:
    sites = [arm.site for arm in Weights().arms(layout, ())]
    assert sites == [selector(first, first + 3) for first in range(8)]


def test_a_layout_or_a_wish_says_how_many_layers_make_a_window(layout: Layout) -> None:
    own = model("sd1").layout
    assert own.probing is not None
    size, stride = own.probing
    assert Weights().arms(own, ()) == Weights(window=size, stride=stride).arms(own, ())
    assert {width(arm.site) for arm in Weights(window=4).arms(own, ())} == {4}
    found = [arm.site for arm in Weights(window=2, stride=5).arms(layout, ())]
    assert found == [selector(0, 2), selector(5, 7), selector(8, 10)]
    with pytest.raises(UsageError, match="a window of 11 layers, and the model has 10"):
        Weights(window=11).arms(layout, ())


def test_one_size_is_all(layout: Layout) -> None:
    assert Weights().arms(layout, [Score(selector(0, 3), 0.1, 0.0, 2, 0.1)]) == ()


def test_the_largest_share_is_found_however_small_it_is() -> None:
    scored = [Score(selector(n, n + 3), share, 0.0, 2, share) for n, share in enumerate((0.1, 0.3))]
    assert Weights().found(scored) == (selector(1, 4), tuple(scored))
