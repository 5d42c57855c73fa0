from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgery.lora.check import LoraTensor, compare, loaded
from surgery.lora.files import as_loaded, stored
from surgery.lora.formats import LoraFormat, Named
from surgery.patch import Patch
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.loras import low_rank, names_in, one_change, random_patch
from tests.helpers.pipelines import write_folder, write_single

KEY = "unet/down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
Numbers = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_folder("sd1", tmp_path_factory.mktemp("check") / "model"))


def made(
    patch: Patch, checkpoint: Checkpoint, dtype: str, format: LoraFormat = "kohya"
) -> tuple[tuple[Named, ...], Numbers]:
    _, found = names_in(patch, checkpoint, format)
    own = as_loaded(stored(found, dtype))
    return found, {name: values.copy() for name, values in own.items()}


def checked(
    patch: Patch, checkpoint: Checkpoint, dtype: str = "F32", size: float = 1.0
) -> tuple[LoraTensor, ...]:
    found, numbers = made(patch, checkpoint, dtype)
    return compare(patch, checkpoint, found, numbers, dtype)


@pytest.mark.parametrize(("dtype", "most"), [("F32", 1e-6), ("F16", 5e-3)])
@pytest.mark.parametrize("size", [3.0, 0.1, 1e-6])
def test_rounding_explains_what_an_intact_lora_lacks(
    checkpoint: Checkpoint, dtype: str, most: float, size: float
) -> None:
    found = checked(random_patch(checkpoint, "cross_attn.{k,v}", size=size), checkpoint, dtype)
    assert len(found) == 32
    assert all(tensor.passed for tensor in found)
    assert all(0 < tensor.relative <= tensor.allowed for tensor in found)
    if size > 1e-3:
        assert max(tensor.allowed for tensor in found) < most


@pytest.mark.parametrize("dtype", ["F32", "F16"])
@pytest.mark.parametrize("which", ["up", "down", "alpha"])
def test_a_damaged_factor_is_caught(checkpoint: Checkpoint, which: str, dtype: str) -> None:
    patch = one_change(KEY, low_rank(*checkpoint[KEY].shape, 4), checkpoint)
    found, numbers = made(patch, checkpoint, dtype)
    name = getattr(found[0], which)
    numbers[name] = numbers[name] * 1.02
    (tensor,) = compare(patch, checkpoint, found, numbers, dtype)
    assert not tensor.passed


def test_two_factors_of_another_layer_are_caught(checkpoint: Checkpoint) -> None:
    patch = random_patch(checkpoint, "cross_attn.{k,v}[0]")
    found, numbers = made(patch, checkpoint, "F32")
    one, two = found
    numbers[one.up], numbers[two.up] = numbers[two.up], numbers[one.up]
    assert not any(t.passed for t in compare(patch, checkpoint, found, numbers, "F32"))


def test_a_layer_that_is_left_out_of_a_fused_tensor_is_caught(tmp_path: Path) -> None:
    single = open_checkpoint(write_single("sd2", tmp_path / "model.safetensors"))
    patch = random_patch(single, "text.self_attn.{q,k,v}[0]")
    found, numbers = made(patch, single, "F32", "diffusers")
    assert len(found) == 3
    (whole,) = compare(patch, single, found, numbers, "F32")
    assert whole.passed and len(whole.modules) == 3
    (part,) = compare(patch, single, found[:2], numbers, "F32")
    assert not part.passed


def test_the_figures_are_those_of_the_weights(checkpoint: Checkpoint) -> None:
    delta = low_rank(*checkpoint[KEY].shape, 2)
    patch = one_change(KEY, delta, checkpoint)
    found, numbers = made(patch, checkpoint, "F16")
    (tensor,) = compare(patch, checkpoint, found, numbers, "F16")
    change = delta.up @ delta.down
    difference = loaded(found[0], numbers) - change
    assert tensor.max_abs == pytest.approx(np.abs(difference).max(), rel=1e-6)
    norms = np.linalg.norm(difference), np.linalg.norm(change)
    assert tensor.relative == pytest.approx(norms[0] / norms[1], rel=1e-6)
    assert (tensor.tensor, tensor.shape, tensor.rank) == (KEY, checkpoint[KEY].shape, 2)


def test_a_layer_that_is_there_for_a_loader_only_passes(checkpoint: Checkpoint) -> None:
    found = checked(random_patch(checkpoint, "text.self_attn.v[0]"), checkpoint)
    assert [tensor.passed for tensor in found] == [True, True]
    assert (found[1].max_abs, found[1].relative, found[1].relative_norm) == (0, 0, 0)
