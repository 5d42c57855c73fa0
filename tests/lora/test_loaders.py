"""The libraries that people load LoRAs with: the weights and the pictures are those of the edit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import diffusers
import numpy as np
import peft
import pytest
import torch

from surgery.apply import apply
from surgery.lora.export import LoraWish, export
from surgery.lora.formats import LoraFormat
from surgery.patch import Patch
from surgery.recipe import load_recipe
from surgery.solve import solve
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.loras import edited, patch_of, random_patch
from tests.helpers.pipelines import PIPELINES, write_folder, write_single

RECIPE = Path(__file__).parents[2] / "recipes" / "remove_vangogh.yaml"
PROMPT = "a painting of a red star in the style of van gogh"
SEEDS, STEPS = (0, 1), 3
EVERY = {
    "sd1": "cross_attn.{k,v}, ff.out, self_attn.out, text.self_attn.{q,out}, text.mlp.in[1]",
    "sd2": "cross_attn.{k,v}, text.self_attn.{q,v}, text.mlp.out",
    "sdxl": "cross_attn.{k,v}, text.self_attn.out, text2.self_attn.{q,v}, text2.mlp.in",
}


def pipeline(folder: Path, kind: str = "StableDiffusionPipeline") -> diffusers.DiffusionPipeline:
    found = getattr(diffusers, kind).from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    )
    found.set_progress_bar_config(disable=True)
    return found


def put(pipe: diffusers.DiffusionPipeline, patch: Patch, folder: Checkpoint) -> None:
    """Give a pipeline the edited weights, in float32."""
    for name, value in edited(patch, folder).items():
        part, _, rest = name.partition("/")
        module = getattr(pipe, part)
        inner = rest if rest in module.state_dict() else rest.removeprefix("text_model.")
        module.get_parameter(inner).data.copy_(torch.from_numpy(value))


def load(pipe: diffusers.DiffusionPipeline, out: Path, format: LoraFormat) -> None:
    if format != "peft":
        pipe.load_lora_weights(str(out))
        return
    for folder in out.iterdir():
        part = getattr(pipe, folder.name)
        setattr(pipe, folder.name, peft.PeftModel.from_pretrained(part, str(folder)))


def merge(pipe: diffusers.DiffusionPipeline, format: LoraFormat) -> None:
    if format != "peft":
        pipe.fuse_lora()
        pipe.unload_lora_weights()
        return
    for name, part in list(pipe.components.items()):
        if isinstance(part, peft.PeftModel):
            setattr(pipe, name, part.merge_and_unload())


def furthest(one: diffusers.DiffusionPipeline, two: diffusers.DiffusionPipeline) -> float:
    """The largest difference of any weight; the names must be the same."""
    parts = [name for name in ("unet", "text_encoder", "text_encoder_2") if hasattr(one, name)]
    worst = 0.0
    for part in parts:
        ours, theirs = getattr(one, part).state_dict(), getattr(two, part).state_dict()
        assert ours.keys() == theirs.keys()
        worst = max(worst, *(float((ours[n] - theirs[n]).abs().max()) for n in ours))
    return worst


def paint(pipe: diffusers.DiffusionPipeline) -> np.ndarray:
    """(seeds, height, width, 3) in 0 to 1."""
    pictures = [
        pipe(
            PROMPT,
            num_inference_steps=STEPS,
            guidance_scale=3.0,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        ).images[0]
        for seed in SEEDS
    ]
    return np.stack(pictures)


@pytest.fixture(scope="module")
def atelier() -> Checkpoint:
    return open_checkpoint("atelier")


@pytest.fixture(scope="module")
def fresh(atelier: Checkpoint) -> Callable[[], diffusers.DiffusionPipeline]:
    pipe = pipeline(atelier.root)
    return lambda: copy.deepcopy(pipe)


@pytest.fixture(scope="module")
def patch(atelier: Checkpoint) -> Patch:
    """Van Gogh's removal from the text encoder, and every key and value of the UNet moved."""
    solved, _ = solve(load_recipe(RECIPE), atelier)
    moved = random_patch(atelier, "cross_attn.{k,v}", size=0.02)
    return patch_of({**solved.changes, **moved.changes}, atelier)


@pytest.fixture(scope="module")
def wanted(
    atelier: Checkpoint, patch: Patch, fresh: Callable[[], diffusers.DiffusionPipeline]
) -> np.ndarray:
    pipe = fresh()
    before = paint(pipe)
    put(pipe, patch, atelier)
    after = paint(pipe)
    assert np.abs(after - before).max() > 0.1
    return after


@pytest.mark.parametrize("format", ["diffusers", "kohya", "peft"])
def test_the_pictures_of_the_atelier_are_those_of_the_edited_weights(
    format: LoraFormat,
    atelier: Checkpoint,
    patch: Patch,
    fresh: Callable[[], diffusers.DiffusionPipeline],
    wanted: np.ndarray,
    tmp_path: Path,
) -> None:
    for dtype, most in (("f32", 2e-5), ("f16", 2e-3)):
        out = tmp_path / (dtype if format == "peft" else f"{dtype}.safetensors")
        export(patch, atelier, LoraWish(format, out, dtype))  # type: ignore[arg-type]
        pipe = fresh()
        load(pipe, out, format)
        assert np.abs(paint(pipe) - wanted).max() < most


@pytest.mark.parametrize("format", ["diffusers", "kohya"])
def test_a_recipe_gives_the_pictures_of_the_model_that_apply_writes(
    format: LoraFormat,
    atelier: Checkpoint,
    fresh: Callable[[], diffusers.DiffusionPipeline],
    tmp_path: Path,
) -> None:
    """The model is stored in half precision, so its weights are rounded and the LoRA's sum not."""
    recipe = load_recipe(RECIPE)
    apply(recipe, atelier, tmp_path / "edited", allow_weak=True)
    export(solve(recipe, atelier)[0], atelier, LoraWish(format, tmp_path / "l.safetensors"))
    pipe = fresh()
    load(pipe, tmp_path / "l.safetensors", format)
    written = paint(pipeline(tmp_path / "edited"))
    difference = np.abs(paint(pipe) - written).max()
    assert difference < 1 / 255
    assert np.abs(paint(fresh()) - written).max() > 50 * difference


@pytest.mark.parametrize("single", [False, True], ids=["folder", "single file"])
@pytest.mark.parametrize("family", sorted(EVERY))
def test_every_layer_arrives_where_it_belongs_in_any_naming(
    family: str, single: bool, tmp_path: Path
) -> None:
    """Ranks are mixed, so that a loader that reads one rank or scale for all would show."""
    folder = write_folder(family, tmp_path / "model")
    base = open_checkpoint(folder)
    original = pipeline(folder, PIPELINES[family])
    true = copy.deepcopy(original)
    source = (
        open_checkpoint(write_single(family, tmp_path / "s" / "m.safetensors")) if single else base
    )
    put(true, random_patch(base, EVERY[family]), base)
    formats: tuple[LoraFormat, ...] = ("diffusers", "kohya", "peft")
    for format in formats:
        out = tmp_path / (format if format == "peft" else f"{format}.safetensors")
        export(random_patch(source, EVERY[family]), source, LoraWish(format, out))
        pipe = copy.deepcopy(original)
        load(pipe, out, format)
        merge(pipe, format)
        assert furthest(pipe, true) < 2e-6, format
    assert furthest(original, true) > 0.1
