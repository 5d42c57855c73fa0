from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from surgery.hooks import Hook
from surgery.layout import detect
from surgery.probes.windows import bounds, depth, elsewhere, overlap, selector, starts, width
from surgery.report import Score
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.probing import FAMILIES, model

COUNTS = st.integers(1, 60).flatmap(lambda count: st.tuples(st.just(count), st.integers(1, count)))


@given(COUNTS, st.integers(1, 70))
def test_windows_begin_at_the_first_layer_and_the_last_one_is_tried(
    sizes: tuple[int, int], stride: int
) -> None:
    count, size = sizes
    found = starts(count, size, stride)
    assert found[0] == 0
    assert found[-1] + size == count
    assert all(0 < later - one <= stride for one, later in pairwise(found))


def test_with_a_stride_of_one_every_window_is_tried() -> None:
    assert starts(10, 3, 1) == tuple(range(8))
    assert starts(16, 2, 4) == (0, 4, 8, 12, 14)
    assert starts(5, 5, 1) == (0,)


@given(st.integers(0, 80), st.integers(1, 20))
def test_a_selector_says_which_layers_a_window_has(first: int, size: int) -> None:
    site = selector(first, first + size)
    assert bounds(site) == (first, first + size)
    assert width(site) == size


def test_a_selector_selects_keys_and_values_of_these_layers() -> None:
    layout = detect(open_checkpoint("atelier"))
    chosen = layout.select(selector(2, 5))
    assert {site.kind for site in chosen} == {"cross_attn.k", "cross_attn.v"}
    assert {site.index for site in chosen} == {2, 3, 4}
    assert depth(layout) == 10


@given(st.lists(st.integers(0, 9), min_size=2), st.lists(st.integers(0, 9), min_size=2))
def test_windows_overlap_where_they_share_a_layer(one: list[int], other: list[int]) -> None:
    layers = [range(min(some), max(some) + 1) for some in (one, other)]
    sites = [selector(some.start, some.stop) for some in layers]
    assert overlap(*sites) == bool(set(layers[0]) & set(layers[1]))


def test_elsewhere_are_the_windows_that_share_no_layer() -> None:
    scores = [Score(selector(first, first + 3), 0.0, 0.0, 1) for first in range(8)]
    found = elsewhere(selector(3, 6), scores)
    assert [bounds(one.site)[0] for one in found] == [0, 6, 7]


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_are_counted_in_the_order_in_which_they_run(family: str) -> None:
    loaded, order = model(family), list[nn.Module]()
    layers = loaded.modules("cross_attn")
    hooks = [Hook(layer, "output", partial(noting, order, layer)) for layer in reversed(layers)]
    told = loaded.encode(["a red ball"])
    loaded.denoise(told, [0], steps=1, guidance=1.0, hooks=hooks)
    assert order == list(layers)
    assert len(layers) == depth(loaded.layout)


def noting(order: list[nn.Module], layer: nn.Module, output: Tensor) -> Tensor:
    order.append(layer)
    return output
