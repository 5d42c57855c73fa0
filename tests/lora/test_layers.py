from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surgery.edits.delta import Delta, Dense, LowRank, Mapped, Rows, Sparse
from surgery.errors import EditError
from surgery.layout import detect
from surgery.lora.layers import Layer, layers
from surgery.patch import Change, Patch
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.loras import low_rank, one_change, patch_of, random_patch
from tests.helpers.pipelines import write_folder, write_single

KEY = "unet/down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
FUSED = "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_folder("sd1", tmp_path_factory.mktemp("layers") / "model"))


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("layers") / "model.safetensors"
    return open_checkpoint(write_single("sd2", path))


def of(patch: Patch, checkpoint: Checkpoint) -> tuple[Layer, ...]:
    return layers(patch, checkpoint, detect(checkpoint))


def added(layer: Layer) -> np.ndarray:
    return layer.change.up @ layer.change.down


def weight(checkpoint: Checkpoint, name: str) -> np.ndarray:
    ref = checkpoint[name]
    return np.frombuffer(ref.read(), "<f4").reshape(ref.shape).astype(np.float64)


def test_a_change_becomes_the_layer_of_its_site(folder: Checkpoint) -> None:
    delta = low_rank(*folder[KEY].shape, 3)
    (layer,) = of(one_change(KEY, delta, folder), folder)
    assert (str(layer.site), layer.change.rank) == ("cross_attn.k[0]", 3)
    np.testing.assert_allclose(added(layer), delta.up @ delta.down, atol=1e-14)


def test_several_changes_of_one_tensor_are_one_layer(folder: Checkpoint) -> None:
    one, two = (Change(low_rank(*folder[KEY].shape, 2, seed=seed)) for seed in (1, 2))
    (layer,) = of(patch_of({KEY: (one, two)}, folder), folder)
    assert layer.change.rank == 4


def test_a_shared_map_is_the_change_of_the_weight_that_it_finds(folder: Checkpoint) -> None:
    inner = folder[KEY].shape[1]
    first = low_rank(*folder[KEY].shape, 1)
    second = low_rank(inner, inner, 2, seed=5)
    patch = patch_of({KEY: (Change(first), Change(Mapped(second.up, second.down)))}, folder)
    (layer,) = of(patch, folder)
    base = weight(folder, KEY)
    np.testing.assert_allclose(base + added(layer), patch.value(KEY, base), atol=1e-12)
    assert layer.change.rank == 3


def test_a_fused_tensor_gives_each_of_its_layers_its_rows(single: Checkpoint) -> None:
    width = single[FUSED].shape[1]
    whole, values = low_rank(3 * width, width, 2), low_rank(width, width, 1, seed=3)
    patch = patch_of({FUSED: (Change(whole), Change(values, (2 * width, 3 * width)))}, single)
    found = of(patch, single)
    kinds = [layer.site.kind for layer in found]
    assert kinds == ["text.self_attn.q", "text.self_attn.k", "text.self_attn.v"]
    assert [layer.change.rank for layer in found] == [2, 2, 3]
    change = np.concatenate([added(layer) for layer in found])
    base = weight(single, FUSED)
    np.testing.assert_allclose(base + change, patch.value(FUSED, base), atol=1e-12)


def test_rows_of_one_layer_give_the_others_none(single: Checkpoint) -> None:
    (site,) = detect(single).select("text.self_attn.k[0]")
    (layer,) = of(random_patch(single, "text.self_attn.k[0]"), single)
    assert layer.site == site


def test_ema_copies_get_no_layer(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_single("sd1", tmp_path / "ema.safetensors", ema=True))
    layout = detect(checkpoint)
    (site,) = layout.select("cross_attn.v[3]")
    change = (Change(low_rank(*checkpoint[site.tensor].shape, 1)),)
    twin = layout.ema_twin(site.tensor)
    assert twin is not None
    found = of(patch_of({site.tensor: change, twin: change}, checkpoint), checkpoint)
    assert [layer.site for layer in found] == [site]


def test_a_few_rows_are_of_low_rank_as_they_are(folder: Checkpoint) -> None:
    out, inner = folder[KEY].shape
    values = np.random.default_rng(0).normal(size=(2, inner))
    rows = Rows(np.array([1, 4]), values, (out, inner))
    (layer,) = of(one_change(KEY, rows, folder), folder)
    wanted = np.zeros((out, inner))
    wanted[[1, 4]] = values
    assert layer.change.rank == 2
    np.testing.assert_allclose(added(layer), wanted, atol=1e-14)


def many_rows(out: int, inner: int) -> Delta:
    return Rows(np.arange(out), np.ones((out, inner)), (out, inner))


def single_entries(out: int, inner: int) -> Delta:
    return Sparse(np.array([3, 17]), np.ones(2), (out, inner))


def every_entry(out: int, inner: int) -> Delta:
    return Dense(np.ones((out, inner)))


def whole_map(out: int, inner: int) -> Delta:
    return Mapped(np.eye(inner))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (many_rows, "rows, rank up to 16"),
        (single_entries, "sparse"),
        (every_entry, "dense"),
        (whole_map, "mapped"),
    ],
)
def test_what_is_not_of_low_rank_is_refused_with_the_reason(
    folder: Checkpoint, make: object, kind: str
) -> None:
    delta = make(*folder[KEY].shape)  # type: ignore[operator]
    with pytest.raises(EditError, match=rf"not of low rank \({kind}") as caught:
        of(one_change(KEY, delta, folder), folder)
    assert caught.value.where == KEY
    assert "--save-patch" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "text_encoder/text_model.embeddings.token_embedding.weight",
            r"token_embedding\[0\] is no",
        ),
        ("text_encoder/text_model.encoder.layers.0.self_attn.out_proj.bias", "out.bias.* is no"),
        ("text_encoder/text_model.encoder.layers.0.layer_norm1.weight", "norm1.* is no linear"),
        ("unet/conv_in.weight", "no layer of sd1"),
    ],
)
def test_a_tensor_that_no_lora_carries_is_refused_by_name(
    folder: Checkpoint, name: str, why: str
) -> None:
    rows, columns = folder[name].shape[0], folder[name].shape[-1]
    delta = LowRank(np.ones((rows, 1)), np.ones((1, columns)))
    with pytest.raises(EditError, match=why) as caught:
        of(one_change(name, delta, folder), folder)
    assert caught.value.where == name
