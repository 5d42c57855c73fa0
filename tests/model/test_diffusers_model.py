"""Every family paints what diffusers' own pipeline does, whatever the batch; no hook is left."""

from __future__ import annotations

from pathlib import Path

import diffusers
import pytest
import torch
from torch import Tensor, nn

from surgery.hooks import Hook
from surgery.model import Conditioning, DiffusersModel, generate, load_model
from surgery.model.base import Precision
from surgery.store.address import locate
from tests.helpers.pipelines import PIPELINES

PROMPTS = ("a painting by van gogh", "a red ball")
SEEDS = (3, 4)
STEPS, GUIDANCE = 2, 3.0


def theirs(family: str, folder: Path) -> Tensor:
    """The pictures of diffusers' pipeline, in [0, 1]."""
    kind = PIPELINES.get(family.removesuffix("-v"), "IFPipeline")
    pipeline = getattr(diffusers, kind).from_pretrained(
        folder, dtype=torch.float32, low_cpu_mem_usage=False
    )
    scheduler = diffusers.DDIMScheduler.from_config(pipeline.scheduler.config)
    # The pipeline of IF would hand the learned variance on to a scheduler that has no use for it.
    scheduler.register_to_config(variance_type="fixed_small")
    pipeline.scheduler = scheduler
    pipeline.set_progress_bar_config(disable=True)
    pictures: Tensor = pipeline(
        list(PROMPTS),
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=[torch.Generator().manual_seed(seed) for seed in SEEDS],
        output_type="pt",
    ).images
    # Latents come as pictures in [0, 1]; IF hands pixels out as they are.
    return pictures * 2 - 1 if family != "if" else pictures


def ours(model: DiffusersModel, prompts=PROMPTS, seeds=SEEDS, **more: object) -> Tensor:
    told = model.encode(prompts)
    return model.denoise(told, seeds, steps=STEPS, guidance=GUIDANCE, **more)


def hooked(model: DiffusersModel) -> list[nn.Module]:
    networks = (model.denoiser, model.networks.vae, *model.towers.values())
    found = [module for one in networks if one is not None for module in one.modules()]
    return [module for module in found if module._forward_hooks or module._forward_pre_hooks]


def test_paints_what_the_pipeline_of_diffusers_paints(
    model: DiffusersModel, family: str, folders: dict[str, Path]
) -> None:
    pictures = model.decode(ours(model))
    assert pictures.shape == (2, 3, model.resolution, model.resolution)
    assert float((pictures - theirs(family, folders[family])).abs().max()) < 1e-4
    assert float((pictures[0] - pictures[1]).abs().mean()) > 1e-3


def test_the_built_in_model_paints_what_the_pipeline_of_diffusers_paints() -> None:
    pictures = generate(load_model("atelier"), PROMPTS, SEEDS, steps=STEPS, guidance=GUIDANCE)
    assert float((pictures - theirs("sd1", locate("atelier"))).abs().max()) < 1e-4


def test_a_picture_is_the_same_in_a_batch_of_one_and_of_eight(model: DiffusersModel) -> None:
    prompts = [PROMPTS[number % 2] for number in range(8)]
    together = generate(model, prompts, range(8), steps=STEPS, batch=8)
    alone = generate(model, prompts, range(8), steps=STEPS, batch=1)
    assert float((together - alone).abs().max()) < 1e-4


def test_counts_the_rows_that_the_denoiser_sees(model: DiffusersModel) -> None:
    before = model.evaluations
    ours(model)
    assert model.evaluations - before == 2 * 2 * STEPS
    told = model.encode(PROMPTS)
    model.denoise(told, SEEDS, steps=STEPS, guidance=1)
    assert model.evaluations - before == 3 * 2 * STEPS


def test_hooks_change_the_prompts_answer_and_are_gone_afterwards(model: DiffusersModel) -> None:
    untouched = ours(model)
    rows = []

    def keep(states: Tensor) -> Tensor:
        rows.append(len(states))
        return states.flip(0)

    hooks = [Hook(module, "context", keep) for module in model.modules("cross_attn")]
    changed = ours(model, hooks=hooks)
    assert rows == [2] * STEPS * len(hooks)
    assert not torch.equal(changed, untouched)
    assert hooked(model) == []
    assert torch.equal(ours(model), untouched)


def test_hooks_are_gone_after_an_error(model: DiffusersModel) -> None:
    def fail(states: Tensor) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ours(model, hooks=[Hook(model.modules("resnet")[0], "output", fail)])
    with pytest.raises(KeyboardInterrupt):
        model.encode(PROMPTS, [Hook(model.modules("text.layer")[0], "output", fail)])
    assert hooked(model) == []


def test_what_cross_attention_is_called_with_is_told_before(model: DiffusersModel) -> None:
    seen: list[Tensor] = []

    def keep(states: Tensor) -> Tensor:
        seen.append(states)
        return states

    told = model.encode(PROMPTS)
    hooks = [Hook(module, "context", keep) for module in model.modules("cross_attn")]
    model.denoise(told, SEEDS, steps=1, guidance=GUIDANCE, hooks=hooks)
    expected = model.context(told)
    assert all(torch.allclose(one, expected, atol=1e-6) for one in seen)


def test_says_where_each_step_begins(model: DiffusersModel) -> None:
    seen = []
    ours(model, on_step=lambda number, time, latents: seen.append((number, int(time), latents)))
    assert [number for number, _, _ in seen] == list(range(STEPS))
    assert [time for _, time, _ in seen] == model.timesteps(STEPS).tolist()
    assert torch.equal(seen[0][2], model.noise(SEEDS))


def test_the_prediction_has_a_gradient_where_one_is_wanted(model: DiffusersModel) -> None:
    told = model.encode(PROMPTS)
    states = told.states.clone().requires_grad_()
    latents, time = model.noise(SEEDS), model.timesteps(STEPS)[0]
    said = model.predict(latents, time, Conditioning(states, told.pooled))
    assert said.shape == latents.shape
    said.square().sum().backward()
    assert states.grad is not None and float(states.grad.abs().max()) > 0
    assert all(weight.grad is None for weight in model.denoiser.parameters())


def test_the_empty_prompt_is_zeros_for_sdxl_and_words_for_others(
    model: DiffusersModel, family: str
) -> None:
    empty = model.empty(2)
    assert empty.states.shape == model.encode(PROMPTS).states.shape
    assert (float(empty.states.abs().max()) == 0) == (family == "sdxl")


def test_pictures_of_another_size_can_be_asked_for(family: str, folders: dict[str, Path]) -> None:
    double = load_model(folders[family])
    model = load_model(folders[family], resolution=2 * double.resolution)
    assert generate(model, PROMPTS[:1], [1], steps=1).shape[2:] == (model.resolution,) * 2


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_network_in_half_precision_paints_nearly_the_same(
    dtype: Precision, model: DiffusersModel, family: str, folders: dict[str, Path]
) -> None:
    half = load_model(folders[family], dtype=dtype)
    assert half.dtype == getattr(torch, dtype)
    told, same = model.encode(PROMPTS), half.encode(PROMPTS)
    latents, time = model.noise(SEEDS), model.timesteps(STEPS)[0]
    assert torch.equal(latents, half.noise(SEEDS))
    with torch.no_grad():
        whole, rough = model.predict(latents, time, told), half.predict(latents, time, same)
    assert rough.dtype == torch.float32
    assert float((whole - rough).norm() / whole.norm()) < 0.1
    assert half.decode(half.noise(SEEDS)).dtype == torch.float32


def test_weights_are_held_once_and_without_gradients(model: DiffusersModel) -> None:
    networks = (model.denoiser, model.networks.vae, *model.towers.values())
    for network in networks:
        if network is not None:
            assert not network.training
            assert not any(one.requires_grad for one in network.parameters())
