from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgery.apply import apply
from surgery.diff import diff
from surgery.errors import EditError
from surgery.numerics.tensors import encode
from surgery.scaled import (
    meaning,
    numbers,
    scale_name,
    scale_of,
    single_rows,
    stored_bytes,
    unscaled,
)
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.eighths import Stored, to_eighths, write_stored
from tests.helpers.recipes import recipe
from tests.helpers.tiny import write_pipeline

TENSOR = "text_encoder/text_model.encoder.layers.0.self_attn.out_proj.weight"
VALUES = np.array([[1.0, -2.0, 448.0], [0.5, 0.0, -448.0]])


def opened(folder: Path, dtype: str = "F8_E4M3", **beside: Stored) -> Checkpoint:
    own: dict[str, Stored] = {"a.weight": (dtype, (2, 3), encode(VALUES, dtype))}
    others = {f"a.{name}": stored for name, stored in beside.items()}
    return open_checkpoint(write_stored(folder / "x.safetensors", own | others))


def single(*values: float, shape: tuple[int, ...] = (), dtype: str = "F32") -> Stored:
    return dtype, shape, encode(np.array(values), dtype)


@pytest.mark.parametrize("name", ["scale_weight", "weight_scale"])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_scale_multiplies_every_number(
    tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    checkpoint = opened(tmp_path, **{name: single(0.25, shape=shape)})
    assert np.array_equal(numbers(checkpoint, "a.weight"), VALUES * 0.25)
    assert np.array_equal(numbers(checkpoint, "a.weight", (1, 2)), VALUES[1:] * 0.25)
    assert not unscaled("a.weight", checkpoint)


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_a_scale_for_each_row_multiplies_its_row(tmp_path: Path, shape: tuple[int, ...]) -> None:
    checkpoint = opened(tmp_path, weight_scale=single(0.5, 2.0, shape=shape, dtype="BF16"))
    wanted = VALUES * [[0.5], [2.0]]
    assert np.array_equal(numbers(checkpoint, "a.weight"), wanted)
    assert np.array_equal(numbers(checkpoint, "a.weight", (1, 2)), wanted[1:])
    assert np.array_equal(single_rows(checkpoint, "a.weight", [1])[1], wanted[1])


def test_numbers_without_a_scale_are_themselves(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path, scale_input=single(3.0))
    assert scale_of("a.weight", checkpoint) is None
    assert unscaled("a.weight", checkpoint)
    assert np.array_equal(numbers(checkpoint, "a.weight"), VALUES)


def test_other_types_have_no_scale(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path, "F16", weight_scale=single(3.0))
    assert scale_name("a.weight", checkpoint) is None
    assert not unscaled("a.weight", checkpoint)


@pytest.mark.parametrize("factor", [0.37, 1e-4, 3.1])
def test_what_is_not_changed_is_stored_in_the_same_bytes(tmp_path: Path, factor: float) -> None:
    checkpoint = opened(tmp_path, scale_weight=single(factor))
    raw = checkpoint["a.weight"].read()
    assert stored_bytes(checkpoint, "a.weight", numbers(checkpoint, "a.weight")) == raw
    assert np.array_equal(meaning(checkpoint, "a.weight", raw), numbers(checkpoint, "a.weight"))


def test_beyond_the_largest_number_a_scaled_value_stays_there(tmp_path: Path) -> None:
    scaled = opened(tmp_path, scale_weight=single(0.5))
    assert stored_bytes(scaled, "a.weight", VALUES * 2) == encode(
        (VALUES * 4).clip(-448, 448), "F8_E4M3"
    )
    with pytest.raises(EditError, match="too large"):
        stored_bytes(opened(tmp_path), "a.weight", VALUES * 2)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_under_a_scale_too(tmp_path: Path, wrong: float) -> None:
    with pytest.raises(EditError, match="NaN or infinite"):
        stored_bytes(opened(tmp_path, scale_weight=single(0.5)), "a.weight", np.full((2, 3), wrong))


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_scale_that_is_none_is_refused(tmp_path: Path, value: float) -> None:
    checkpoint = opened(tmp_path, scale_weight=single(value))
    with pytest.raises(EditError, match="not a positive number"):
        numbers(checkpoint, "a.weight")


def test_scales_for_blocks_are_refused_from_the_header(tmp_path: Path) -> None:
    blocks = single(*[1.0] * 6, shape=(2, 3))
    checkpoint = opened(tmp_path, weight_scale_inv=blocks)
    with pytest.raises(EditError, match=r"a\.weight_scale_inv.*\[2, 3\]"):
        scale_name("a.weight", checkpoint)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2"])
@pytest.mark.parametrize(
    ("ending", "per_row"), [("scale_weight", False), ("weight_scale", True), ("", False)]
)
def test_a_model_of_8_bit_floats_is_edited_under_its_scales(
    tmp_path: Path, ending: str, per_row: bool, dtype: str
) -> None:
    folder = write_pipeline(tmp_path / "in")
    to_eighths(folder / "text_encoder" / "model.safetensors", ending, dtype=dtype, per_row=per_row)
    checkpoint = open_checkpoint(folder)
    report = apply(recipe(), checkpoint, tmp_path / "out")
    found = diff(checkpoint, open_checkpoint(tmp_path / "out"))
    assert [change.name for change in found.changes] == [TENSOR]
    (edited,) = report.tensors
    assert (edited.dtype, edited.shape) == (dtype, (32, 32))
    assert 0.0 < edited.lost < 1.0
    own = next(leak for leak in report.leaks if leak.wording == "prompts")
    assert own.figure.median < 0.5
    warned = any("without a scale" in text for text in report.warnings)
    assert warned == (not ending)
