"""Running a text-to-image model: encode, denoise, decode. Only this file imports diffusers.

Scoring what comes out is not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from torch import Tensor
from transformers.utils import logging as transformers_logging

STEPS, GUIDANCE = 20, 3.0
"""What the built-in model was measured with; latents of 8 x 8 saturate at the usual 7.5."""

diffusers_logging.disable_progress_bar()
transformers_logging.disable_progress_bar()


class Model(Protocol):
    """What previews, verification and probes need of a model."""

    def encode(self, prompts: Sequence[str]) -> Tensor: ...

    def denoise(
        self, states: Tensor, seeds: Sequence[int], *, steps: int, guidance: float
    ) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


class DiffusersModel:
    """A Stable Diffusion folder in float32 on one device.

    Args:
        folder: a diffusers folder with unet, vae, text_encoder, tokenizer and scheduler.
        device: where to compute.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            safety_checker=None,
            low_cpu_mem_usage=False,
        )
        self.pipeline = pipeline.to(device)
        self.device = device

    @torch.no_grad()
    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Prompts → last hidden states of the text tower, (n, length, width)."""
        tokenizer, tower = self.pipeline.tokenizer, self.pipeline.text_encoder
        length = tokenizer.model_max_length
        ids = tokenizer(list(prompts), padding="max_length", max_length=length).input_ids
        states: Tensor = tower(torch.tensor(ids, device=self.device)).last_hidden_state
        return states

    @torch.no_grad()
    def denoise(
        self,
        states: Tensor,
        seeds: Sequence[int],
        *,
        steps: int = STEPS,
        guidance: float = GUIDANCE,
    ) -> Tensor:
        """Classifier-free guided sampling from each seed's own noise.

        Args:
            states: (n, length, width), as `encode` gives them.
            seeds: n numbers; a picture depends on its own seed only, never on the batch.
            steps: scheduler steps.
            guidance: weight of the prompt against the empty prompt (Ho & Salimans 2022, eq. 6).

        Returns:
            Latents (n, channels, side, side), scaled as the UNet sees them.
        """
        unet, scheduler = self.pipeline.unet, self.pipeline.scheduler
        scheduler.set_timesteps(steps, device=self.device)
        latents: Tensor = self._noise(seeds) * scheduler.init_noise_sigma
        both = torch.cat([self.encode([""]).expand_as(states), states])
        for time in scheduler.timesteps:
            doubled = scheduler.scale_model_input(torch.cat([latents, latents]), time)
            empty, asked = unet(doubled, time, both).sample.chunk(2)
            latents = scheduler.step(empty + guidance * (asked - empty), time, latents).prev_sample
        return latents

    def _noise(self, seeds: Sequence[int]) -> Tensor:
        config = self.pipeline.unet.config
        shape = (config.in_channels, config.sample_size, config.sample_size)
        drawn = [torch.randn(shape, generator=torch.Generator().manual_seed(one)) for one in seeds]
        return torch.stack(drawn).to(self.device)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Latents → pictures (n, 3, height, width) in [-1, 1]."""
        vae = self.pipeline.vae
        pictures: Tensor = vae.decode(latents / vae.config.scaling_factor).sample
        return pictures.clamp(-1, 1)


def generate(
    model: Model,
    prompts: Sequence[str],
    seeds: Sequence[int],
    *,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    batch: int = 64,
    on_batch: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """One picture for each prompt and seed, (n, 3, height, width) in [-1, 1], in batches.

    Args:
        on_batch: told how many pictures were just made.
    """
    made = []
    for start in range(0, len(prompts), batch):
        some = slice(start, start + batch)
        states = model.encode(prompts[some])
        latents = model.denoise(states, seeds[some], steps=steps, guidance=guidance)
        made.append(model.decode(latents).cpu())
        on_batch(len(made[-1]))
    return torch.cat(made)
