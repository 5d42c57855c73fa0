"""A text-to-image model of diffusers in use: encode, denoise, decode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from surgery.hooks import Hook, behind, intervene
from surgery.layout import Layout
from surgery.model import conditioning as texts
from surgery.model import sites
from surgery.model.base import Conditioning, OnStep, PromptTokens
from surgery.model.generate import GUIDANCE, STEPS
from surgery.model.parts import Parts, config_of
from surgery.model.pixels import decoded, latent_side, pixels_per_side
from surgery.model.schedule import Ddim


class DiffusersModel:
    """Stable Diffusion 1, 2 or XL, or the first stage of DeepFloyd IF.

    Args:
        parts: its networks, all on one device.
        resolution: height and width of pictures in pixels; left out, the model's own.

    Raises:
        UsageError: pictures of that size cannot be painted.
    """

    def __init__(self, parts: Parts, resolution: int | None = None) -> None:
        self.parts = parts
        self.networks = parts.networks
        self.config = config_of(self.networks.denoiser)
        self.side = latent_side(self.networks, resolution)
        self.evaluations = 0

    @property
    def layout(self) -> Layout:
        """What the networks are, under names of diffusers."""
        return self.parts.layout

    @property
    def denoiser(self) -> nn.Module:
        """The network that predicts noise."""
        return self.networks.denoiser

    @property
    def towers(self) -> Mapping[str, nn.Module]:
        """Role, `text` or `text2`, -> text tower."""
        return self.networks.towers

    @property
    def fingerprint(self) -> str:
        """Of the files and the values that they hold."""
        return self.parts.fingerprint

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.denoiser.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the networks compute in; between steps latents are float32."""
        return next(self.denoiser.parameters()).dtype

    @property
    def resolution(self) -> int:
        """Pixels along one side of a picture."""
        return self.side * pixels_per_side(self.networks.vae)

    def tokens(self, role: str = "text") -> PromptTokens:
        """The tokenizer of a text tower."""
        return self.parts.tokens[role]

    def modules(self, kind: str) -> tuple[nn.Module, ...]:
        """Modules to put hooks on, in execution order, see `sites.modules`."""
        return sites.modules(kind, self.layout, self.denoiser, self.towers)

    def owner(self, site: str) -> nn.Module:
        """The module whose `weight` a site of the denoiser is, see `sites.owner`."""
        return sites.owner(site, self.layout, self.denoiser)

    def parameter(self, tensor: str) -> nn.Parameter:
        """The parameter that a site's tensor is, such as `unet/…attn2.to_k.weight`."""
        return sites.parameter(tensor, self.denoiser, self.towers)

    @torch.no_grad()
    def encode(self, prompts: Sequence[str], hooks: Sequence[Hook] = ()) -> Conditioning:
        """What the denoiser is told of prompts.

        Args:
            hooks: changes that are in force while the text towers run.

        Raises:
            EditError: a prompt that is longer than the model reads.
        """
        return texts.encode(prompts, self.layout, self.towers, self.parts.tokens, hooks)

    @torch.no_grad()
    def empty(self, count: int) -> Conditioning:
        """What guidance holds the prompt against, as often as wanted."""
        one = self.encode([""]).rows([0] * count)
        if not self.networks.zero_empty:
            return one
        pooled = None if one.pooled is None else torch.zeros_like(one.pooled)
        return Conditioning(torch.zeros_like(one.states), pooled)

    def context(self, conditioning: Conditioning) -> Tensor:
        """What cross-attention layers are called with, (n, length, width)."""
        entry = getattr(self.denoiser, "encoder_hid_proj", None)
        told: Tensor = entry(conditioning.states) if entry is not None else conditioning.states
        return told

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """Where sampling begins, (n, channels, side, side), each row drawn from its own seed."""
        shape = (int(str(self.config["in_channels"])), self.side, self.side)
        drawn = [torch.randn(shape, generator=torch.Generator().manual_seed(one)) for one in seeds]
        return torch.stack(drawn).to(self.device)

    def timesteps(self, steps: int) -> Tensor:
        """The times of sampling in so many steps, from noise to picture."""
        return self.schedule(steps).times

    def schedule(self, steps: int) -> Ddim:
        """Sampling in so many steps."""
        return Ddim.of(
            self.networks.scheduler, steps, self.device, pixels=self.networks.vae is None
        )

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """What the denoiser says of these rows, (n, channels, side, side), as it was trained to.

        Args:
            latents: (n, channels, side, side).
            time: one of `timesteps`.
        """
        self.evaluations += len(latents)
        said: Tensor = self.denoiser(
            latents.to(self.dtype),
            time,
            encoder_hidden_states=conditioning.states,
            added_cond_kwargs=self._added(conditioning),
        ).sample
        # Where the variance is learned, it follows the prediction.
        return said[:, : latents.shape[1]].float()

    def _added(self, conditioning: Conditioning) -> dict[str, Tensor] | None:
        if conditioning.pooled is None:
            return None
        size = self.resolution
        sizes = [size, size, 0, 0, size, size]
        times = torch.tensor([sizes] * len(conditioning), device=self.device, dtype=self.dtype)
        return {"text_embeds": conditioning.pooled, "time_ids": times}

    @torch.no_grad()
    def denoise(
        self,
        conditioning: Conditioning,
        seeds: Sequence[int],
        *,
        steps: int = STEPS,
        guidance: float = GUIDANCE,
        hooks: Sequence[Hook] = (),
        on_step: OnStep | None = None,
    ) -> Tensor:
        """Classifier-free guided sampling from each seed's own noise.

        Args:
            conditioning: n rows, as `encode` gives them.
            seeds: n numbers; a picture depends on its own seed only, never on the batch.
            steps: scheduler steps.
            guidance: weight of the prompt against the empty prompt (Ho & Salimans 2022, eq. 6);
                at 1 the empty prompt is not asked.
            hooks: changes that are in force while the prompt is asked, whose rows are these n.
            on_step: told the number of each step, its time and the latents that it begins with.

        Returns:
            Latents (n, channels, side, side), float32, scaled as the denoiser sees them.
        """
        schedule, count, told, kept = self.schedule(steps), len(seeds), conditioning, hooks
        if guidance != 1:
            # Both in one batch, half again as fast where batches are small.
            told = Conditioning.cat([self.empty(count), conditioning])
            kept = [behind(hook, count) for hook in hooks]
        latents = self.noise(seeds)
        for number, time in enumerate(schedule.times):
            if on_step is not None:
                on_step(number, time, latents)
            with intervene(kept):
                said = self.predict(torch.cat([latents] * (len(told) // count)), time, told)
            if guidance != 1:
                against, said = said.chunk(2)
                said = against + guidance * (said - against)
            latents = schedule.step(said, time, latents)
        return latents

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Latents → pictures (n, 3, height, width) in [-1, 1], float32."""
        vae = self.networks.vae
        pictures = latents if vae is None else decoded(vae, latents)
        return pictures.clamp(-1, 1)
