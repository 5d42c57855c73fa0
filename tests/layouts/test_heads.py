"""How many heads cross-attention has: from the configuration, or as published for its widths."""

from __future__ import annotations

import pytest

from surgery.layout import Layout, detect
from surgery.layouts.heads import heads_by_width, with_heads
from surgery.selector import Site
from tests.helpers.dumps import dump

PUBLISHED = {320: 8}
PER_BLOCK = {"block_out_channels": [320, 640, 640], "attention_head_dim": [5, 10, 10]}


def heads(layout: Layout) -> list[int | None]:
    return [site.heads for site in layout.sites if site.kind == "cross_attn.v"]


@pytest.mark.parametrize("pair", [("sd1", "sd1-ldm"), ("sd2", "sd2-ldm"), ("sdxl", "sdxl-sgm")])
def test_a_folder_and_a_single_file_agree(pair: tuple[str, str]) -> None:
    folder, single = (detect(dump(name).tensors, dump(name).configs) for name in pair)
    assert heads(folder) == heads(single)
    assert None not in heads(folder)


def test_stable_diffusion_1_has_eight_everywhere_and_xl_heads_of_width_64() -> None:
    assert set(heads(detect(dump("sd1").tensors, dump("sd1").configs))) == {8}
    assert set(heads(detect(dump("sdxl").tensors, dump("sdxl").configs))) == {10, 20}


def test_a_relative_of_other_widths_has_them_from_its_configuration_alone() -> None:
    own = dump("tiny-sd1")
    assert None not in heads(detect(own.tensors, own.configs))
    assert set(heads(detect(own.tensors, {}))) == {None}


def test_only_attention_has_heads() -> None:
    layout = detect(dump("sd1").tensors, dump("sd1").configs)
    assert {site.kind for site in layout.sites if site.heads} == {
        "cross_attn.q",
        "cross_attn.k",
        "cross_attn.v",
    }


def test_one_number_holds_for_every_block_and_a_list_for_each_its_own() -> None:
    one = {"block_out_channels": [48, 80], "attention_head_dim": 4}
    assert heads_by_width(one, PUBLISHED) == {48: 4, 80: 4}
    assert heads_by_width(PER_BLOCK, PUBLISHED) == {320: 5, 640: 10}
    assert heads_by_width({**PER_BLOCK, "num_attention_heads": 2}, {}) == {320: 2, 640: 2}


def test_without_a_configuration_it_is_what_was_published() -> None:
    assert heads_by_width(None, PUBLISHED) == PUBLISHED
    assert heads_by_width({}, PUBLISHED) == PUBLISHED


@pytest.mark.parametrize("stated", [None, "8", True, 0, -1, [5], [5, 10, 20], [5, None, 10]])
def test_a_configuration_that_does_not_say_leaves_it_unknown(stated: object) -> None:
    assert heads_by_width({**PER_BLOCK, "attention_head_dim": stated}, PUBLISHED) == {}


def test_rows_that_do_not_fall_into_so_many_heads_have_none() -> None:
    site = Site("cross_attn.v", 0, "a")
    assert with_heads([site], ["cross_attn.v"], {320: 7}, {"a": 320})[0].heads is None
    assert with_heads([site], ["cross_attn.v"], {320: 8}, {"a": 320})[0].heads == 8
    assert with_heads([site], [], {320: 8}, {"a": 320}) == [site]
