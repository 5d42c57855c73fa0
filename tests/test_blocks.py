from __future__ import annotations

from math import sqrt

import pytest

from surgery.blocks import block_of, by_block
from surgery.report import TensorChange


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("unet/down_blocks.1.attentions.0.to_k.weight", "unet/down_blocks.1"),
        ("unet/mid_block.resnets.0.conv1.weight", "unet/mid_block.resnets.0"),
        (
            "model.diffusion_model.input_blocks.10.0.op.bias",
            "model.diffusion_model.input_blocks.10",
        ),
        ("te/text_model.encoder.layers.3.mlp.fc1.weight", "te/text_model.encoder.layers.3"),
        ("unet/conv_in.weight", "unet/conv_in"),
        ("time_embed.2", "time_embed"),
        ("alone", "alone"),
        ("", ""),
    ],
)
def test_a_name_tells_its_block(name: str, block: str) -> None:
    assert block_of(name) == block


def changed(name: str, relative: float | None, norm: float | None) -> TensorChange:
    stored = "F32 [2]"
    figures = (1, 0.5 if relative else None, relative, None, norm)
    return TensorChange(name, "values", stored, stored, 8, 2, *figures)


def test_figures_of_a_block_are_those_of_its_changes_together() -> None:
    changes = [changed("b.0.x", 0.1, 3.0), changed("b.0.y", 0.2, 4.0), changed("b.1.x", 1.0, 1.0)]
    first, second = by_block(changes, ["b.0.x", "b.0.y", "b.0.z", "b.1.x"])
    assert (first.block, first.tensors, first.of, first.max_abs) == ("b.0", 2, 3, 0.5)
    assert first.relative_norm == pytest.approx(sqrt(0.3**2 + 0.8**2) / 5)
    assert (second.block, second.relative_norm) == ("b.1", 1.0)


def test_a_block_with_a_change_without_figures_has_none() -> None:
    (block,) = by_block(
        [changed("b.0.x", None, None), changed("b.0.y", 0.1, 1.0)], ["b.0.x", "b.0.y"]
    )
    assert (block.relative_norm, block.max_abs) == (None, None)


def test_tensors_that_came_or_went_are_in_no_block() -> None:
    gone = TensorChange("b.0.x", "removed", "F32 [2]", "", 8, 2)
    assert by_block([gone], []) == ()
