from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgery.edits.delta import Delta, Dense, LowRank, Mapped, Rows, Sparse
from surgery.errors import EditError
from surgery.patch import Change
from surgery.patches import PatchFile
from surgery.patches.rebuild import patched, restored
from surgery.patches.stored import unique_arrays
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.patches.samples import (
    FLOATS,
    NAME,
    SHAPE,
    low_rank,
    new_bytes,
    one_change,
    patch_of,
    solved,
    weight,
    write_model,
)


def check_exact(checkpoint: Checkpoint, patch: PatchFile, after: dict[str, bytes]) -> None:
    for tensor in patch.changed:
        old = checkpoint[tensor.name].read()
        assert patched(tensor, checkpoint, old) == after[tensor.name] != old
        assert restored(tensor, checkpoint, after[tensor.name]) == old


def after(checkpoint: Checkpoint, changes: dict[str, list[Change]]) -> dict[str, bytes]:
    patch = solved(checkpoint, changes)
    return {name: new_bytes(patch, checkpoint, name) for name in changes}


DELTAS: dict[str, Delta] = {
    "low rank": low_rank(),
    "rows": Rows(np.array([3, 40]), weight((2, 64)), SHAPE),
    "sparse": Sparse(np.array([0, 99, 3071]), weight((3,)), SHAPE),
    "dense": Dense(weight(seed=4, scale=0.1)),
    "map": Mapped(weight((64, 3), 5) * 0.1, weight((3, 64), 6) * 0.1),
    "whole map": Mapped(weight((64, 64), 7) * 0.02),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", DELTAS)
def test_every_type_and_form_is_exact_in_both_directions(
    dtype: str, kind: str, tmp_path: Path
) -> None:
    checkpoint, patch = one_change(tmp_path / "m.safetensors", dtype, DELTAS[kind])
    check_exact(checkpoint, patch, after(checkpoint, {NAME: [Change(DELTAS[kind])]}))


@pytest.mark.parametrize("kind", ["low rank", "map"])
def test_a_low_rank_change_is_kept_as_its_factors(kind: str, tmp_path: Path) -> None:
    checkpoint, patch = one_change(tmp_path / "m.safetensors", "F32", DELTAS[kind])
    (change,) = patch.as_patch().changes[NAME]
    assert isinstance(change.delta, LowRank)
    assert change.delta.rank == DELTAS[kind].rank == patch.tensors[0].rank
    wanted = np.frombuffer(after(checkpoint, {NAME: [Change(DELTAS[kind])]})[NAME], "<f4")
    old = np.frombuffer(checkpoint[NAME].read(), "<f4").reshape(SHAPE)
    assert np.abs(old + change.delta.added_to(0 * old) - wanted.reshape(SHAPE)).max() < 1e-6


@pytest.mark.parametrize("kind", ["rows", "sparse", "dense", "whole map"])
def test_any_other_change_is_kept_by_value_and_never_becomes_a_lora(
    kind: str, tmp_path: Path
) -> None:
    _, patch = one_change(tmp_path / "m.safetensors", "F16", DELTAS[kind])
    assert patch.tensors[0].rank is None
    assert patch.factor_bytes == 0
    with pytest.raises(EditError, match="by value") as caught:
        patch.as_patch()
    assert "may still be of low rank" in caught.value.hint


def test_a_patch_of_two_models_asks_for_a_recipe(tmp_path: Path) -> None:
    _, patch = one_change(tmp_path / "m.safetensors", "F16", DELTAS["dense"])
    with pytest.raises(EditError, match="by value") as caught:
        replace(patch, metadata={}).as_patch()
    assert "a patch of two models has no factors" in caught.value.hint


def test_a_change_of_high_rank_is_kept_by_value(tmp_path: Path) -> None:
    checkpoint, patch = one_change(tmp_path / "m.safetensors", "F16", low_rank(40))
    assert patch.tensors[0].rank is None
    check_exact(checkpoint, patch, after(checkpoint, {NAME: [Change(low_rank(40))]}))


@pytest.mark.parametrize("dtype", FLOATS)
def test_several_changes_of_one_tensor_and_of_its_rows_add_up(dtype: str, tmp_path: Path) -> None:
    write_model(tmp_path / "m.safetensors", {NAME: (dtype, weight())})
    checkpoint = open_checkpoint(tmp_path / "m.safetensors")
    changes = {
        NAME: [
            Change(low_rank(1, (16, 64)), (16, 32)),
            Change(low_rank(1, seed=3)),
            Change(Mapped(weight((64, 1), 5) * 0.1, weight((1, 64), 6) * 0.1), (0, 8)),
        ]
    }
    patch = patch_of(checkpoint, changes)
    assert patch.tensors[0].rank == 3
    check_exact(checkpoint, patch, after(checkpoint, changes))


def test_a_factor_that_tensors_share_is_kept_once(tmp_path: Path) -> None:
    names = [f"{number}.weight" for number in range(4)]
    tensors = {name: ("F16", weight(seed=n)) for n, name in enumerate(names)}
    checkpoint = open_checkpoint(write_model(tmp_path / "m.safetensors", tensors))
    down = weight((2, 64), 8) * 0.3
    changes = {
        name: [Change(LowRank(weight((48, 2), n) * 0.3, down))] for n, name in enumerate(names)
    }
    patch = patch_of(checkpoint, changes)
    assert len(unique_arrays(patch.tensors)) == 5
    assert patch.factor_bytes == 4 * (4 * 48 * 2 + 2 * 64)
    check_exact(checkpoint, patch, after(checkpoint, changes))


@pytest.mark.parametrize(("dtype", "wide"), [("F64", True), ("F32", False), ("F16", False)])
def test_factors_are_as_precise_as_makes_the_file_smallest(
    dtype: str, wide: bool, tmp_path: Path
) -> None:
    _, patch = one_change(tmp_path / "m.safetensors", dtype)
    assert {array.dtype.itemsize for array in unique_arrays(patch.tensors)} == {8 if wide else 4}


@pytest.mark.parametrize("scale", [(1,), (48,), (48, 1)])
def test_8_bit_numbers_under_a_scale_are_exact_and_the_scale_belongs_to_the_base(
    scale: tuple[int, ...], tmp_path: Path
) -> None:
    factor = 0.001 + np.abs(weight(scale))
    tensors = {NAME: ("F8_E4M3", weight() * 20), "block.weight_scale": ("F32", factor)}
    checkpoint = open_checkpoint(write_model(tmp_path / "m.safetensors", tensors))
    changes = {NAME: [Change(low_rank())]}
    patch = patch_of(checkpoint, changes)
    check_exact(checkpoint, patch, after(checkpoint, changes))
    assert [tensor.name for tensor in patch.tensors] == [NAME, "block.weight_scale"]
    assert [tensor.name for tensor in patch.changed] == [NAME]


def test_a_sum_beyond_the_type_on_the_way_back_is_kept_by_value(tmp_path: Path) -> None:
    whole = np.full(SHAPE, 448.0)
    checkpoint = open_checkpoint(
        write_model(tmp_path / "m.safetensors", {NAME: ("F8_E4M3", whole)})
    )
    down = LowRank(np.full((48, 1), -15.0), np.full((1, 64), 1.0))
    changes = {NAME: [Change(down)]}
    patch = patch_of(checkpoint, changes)
    check_exact(checkpoint, patch, after(checkpoint, changes))


def test_factors_too_large_for_single_precision_stay_double(tmp_path: Path) -> None:
    huge = low_rank()
    changes = {NAME: [Change(LowRank(huge.up * 1e60, huge.down * 1e-60))]}
    checkpoint, _ = one_change(tmp_path / "m.safetensors", "F32")
    patch = patch_of(checkpoint, changes)
    check_exact(checkpoint, patch, after(checkpoint, changes))


def test_a_patch_of_a_real_width_is_smaller_than_the_factors_it_was_solved_in(
    tmp_path: Path,
) -> None:
    shape = (768, 768)
    for dtype, most in (("F32", 1.0), ("F16", 0.75)):
        model = write_model(tmp_path / f"{dtype}.safetensors", {NAME: (dtype, weight(shape))})
        delta = low_rank(24, shape)
        delta = LowRank(delta.up * 0.3, delta.down)
        patch = patch_of(open_checkpoint(model), {NAME: [Change(delta)]})
        size = patch.factor_bytes + patch.tensors[0].correction_bytes
        assert size < most * (delta.up.nbytes + delta.down.nbytes)
