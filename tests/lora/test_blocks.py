from __future__ import annotations

import pytest

from surgery.errors import LayoutError
from surgery.layouts.names import Index
from surgery.layouts.schema import load_part
from surgery.lora import blocks

PATTERN = "@.transformer_blocks.{n}.attn2.to_k.weight"


@pytest.mark.parametrize(
    ("rank", "counted", "levels"),
    [
        (blocks.DOWN, (1, 0), (0, 0, 0)),
        (blocks.DOWN, (8, 3), (2, 1, 3)),
        (blocks.MIDDLE, (9,), (0, 9)),
        (blocks.UP, (0, 1), (0, 0, 1)),
        (blocks.UP, (11, 0), (3, 2, 0)),
    ],
)
def test_both_ways_of_counting_tell_the_same_place(
    rank: int, counted: tuple[int, ...], levels: tuple[int, ...]
) -> None:
    assert blocks.by_level(rank, counted, 3) == levels
    assert blocks.counted_through(rank, levels, 3) == counted


@pytest.mark.parametrize("part", ["unet", "unet-ldm"])
def test_a_name_is_read_and_written_back(part: str) -> None:
    given = {
        "unet": "up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_k.weight",
        "unet-ldm": "output_blocks.11.1.transformer_blocks.0.attn2.to_k.weight",
    }[part]
    own = load_part(part)
    rank, numbers = blocks.place(PATTERN, own, "", given, Index([given]))
    assert rank == blocks.UP
    assert blocks.name(PATTERN, own, rank, numbers) == given


def test_a_tensor_outside_the_blocks_has_no_place() -> None:
    with pytest.raises(LayoutError, match="in no block of unet"):
        blocks.place(PATTERN, load_part("unet"), "", "conv_in.weight", Index(["conv_in.weight"]))


def test_a_kind_that_a_part_lacks_is_named() -> None:
    with pytest.raises(LayoutError, match=r"t5 has no cross_attn\.k"):
        blocks.pattern_of(load_part("t5"), "cross_attn.k")


def test_the_blocks_of_a_level_are_counted_in_either_naming() -> None:
    ldm = [f"output_blocks.{n}.0.in_layers.2.weight" for n in range(8)]
    ldm += [f"input_blocks.{n}.0.op.weight" for n in (2, 4, 6)]
    assert blocks.per_level("", Index(ldm)) == 2
    folder = [f"unet/up_blocks.0.resnets.{n}.conv1.weight" for n in range(3)]
    assert blocks.per_level("unet/", Index(folder)) == 3
