"""Layer counts from configurations: hand-counted cases, and values that cannot be counts."""

from __future__ import annotations

import pytest

from surgery.errors import LayoutError
from surgery.layouts.counts import expected

DOWN, UP = ["CrossAttnDownBlock2D", "DownBlock2D"], ["UpBlock2D", "CrossAttnUpBlock2D"]
BASE = {"down_block_types": DOWN, "up_block_types": UP}
BLOCKS = "unet_transformer_blocks"


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 2 + 1 + 3),
        ({"layers_per_block": 1}, 1 + 1 + 2),
        ({"mid_block_type": None}, 2 + 3),
        ({"mid_block_type": "UNetMidBlock2D"}, 2 + 3),
        ({"layers_per_block": [3, 1]}, 3 + 1 + 4),
        ({"transformer_layers_per_block": [2, 5]}, 4 + 5 + 6),
        (
            {
                "transformer_layers_per_block": [[1, 2], 4],
                "reverse_transformer_layers_per_block": [1, [3, 2, 1]],
            },
            3 + 4 + 6,
        ),
    ],
)
def test_transformer_blocks_are_counted_as_the_model_builds_them(
    more: dict[str, object], count: int
) -> None:
    assert expected(BLOCKS, {**BASE, **more}, "unet/config.json") == count


def test_bare_attentions_ignore_depth() -> None:
    config = {**BASE, "transformer_layers_per_block": [2, 5]}
    assert expected("unet_attentions", config, "unet/config.json") == 6


IF_DOWN = ["ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"]
IF_UP = ["SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"]


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 4 + 2 + 6),
        ({"layers_per_block": [3, 1]}, 4 + 2 + 6),
        ({"mid_block_type": None}, 4 + 6),
        ({"mid_block_type": "UNetMidBlock2D"}, 4 + 1 + 6),
        ({"down_block_types": IF_DOWN, "up_block_types": IF_UP}, 5 + 2 + 7),
        ({"mid_block_type": "Other"}, None),
        ({"down_block_types": ["KDownBlock2D", "DownBlock2D"]}, None),
        ({"up_block_types": None}, None),
    ],
)
def test_resnet_blocks_are_counted_as_the_model_builds_them(
    more: dict[str, object], count: int | None
) -> None:
    assert expected("unet_resnets", {**BASE, **more}, "unet/config.json") == count


def test_a_plain_key_is_its_own_count() -> None:
    assert expected("num_layers", {"num_layers": 24}, "config.json") == 24


def test_a_configuration_that_does_not_say_is_no_claim() -> None:
    assert expected("num_layers", {}, "config.json") is None
    assert expected(BLOCKS, {"layers_per_block": 2}, "config.json") is None


@pytest.mark.parametrize(
    "more",
    [
        {"layers_per_block": "two"},
        {"layers_per_block": [2]},
        {"layers_per_block": 10**9},
        {"transformer_layers_per_block": [True, 1]},
        {"transformer_layers_per_block": [["x"], 1]},
    ],
)
def test_values_that_cannot_be_counts_are_errors(more: dict[str, object]) -> None:
    with pytest.raises(LayoutError, match=r"config\.json"):
        expected(BLOCKS, {**BASE, **more}, "unet/config.json")
