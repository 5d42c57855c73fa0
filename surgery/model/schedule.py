"""DDIM without chance for every model, whatever sampler its files name.

Source: Song et al. 2021, arXiv 2010.02502, eq. 12 with sigma 0; thresholds of Saharia et al. 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from surgery.errors import CheckpointError, UsageError
from surgery.store.text import visible

_PREDICTS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, slots=True, eq=False)
class Ddim:
    """Sampling in a number of steps that is set once."""

    times: Tensor
    scheduler: DDIMScheduler

    @classmethod
    def of(
        cls, config: Mapping[str, object], steps: int, device: torch.device, *, pixels: bool
    ) -> Ddim:
        """Make it from the configuration of a model's own scheduler.

        Args:
            pixels: the denoiser paints pixels, which stay within [-1, 1].

        Raises:
            UsageError: more steps than the model was trained for.
        """
        own = dict(config)
        # Left out, diffusers clips what is not a picture too.
        own.setdefault("clip_sample", pixels)
        scheduler = DDIMScheduler.from_config(own)
        # An offset moves every time up, the last of a thousand beyond the end.
        most = int(scheduler.config["num_train_timesteps"]) - int(scheduler.config["steps_offset"])
        if steps > most:
            raise UsageError(f"{steps} steps, and the model takes at most {most}")
        scheduler.set_timesteps(steps, device=device)
        return cls(scheduler.timesteps, scheduler)

    @property
    def length(self) -> int:
        """How many times the model was trained for."""
        return int(self.scheduler.config["num_train_timesteps"])

    def step(self, said: Tensor, time: Tensor, latents: Tensor) -> Tensor:
        """Latents one step nearer to the picture."""
        nearer: Tensor = self.scheduler.step(said, time, latents).prev_sample
        return nearer

    def picture(self, said: Tensor, time: Tensor, latents: Tensor) -> Tensor:
        """The picture's latents that a prediction speaks of, whatever the model predicts."""
        meant: Tensor = self.scheduler.step(said, time, latents).pred_original_sample
        return meant

    def noisy(self, latents: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """A picture's latents with as much noise as belongs to a time."""
        noised: Tensor = self.scheduler.add_noise(latents, noise, time)
        return noised

    def meant(self, latents: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """What a model is trained to say of `noisy` latents, whatever it predicts."""
        kind = self.scheduler.config["prediction_type"]
        if kind == "v_prediction":
            velocity: Tensor = self.scheduler.get_velocity(latents, noise, time)
            return velocity
        return noise if kind == "epsilon" else latents

    def jump(self, said: Tensor, time: Tensor, latents: Tensor, to: Tensor) -> Tensor:
        """Latents at any later time, in one step."""
        meant = self.picture(said, time, latents)
        here, there = (self.scheduler.alphas_cumprod[int(one)] for one in (time, to))
        noise = (latents - here.sqrt() * meant) / (1 - here).sqrt()
        nearer: Tensor = there.sqrt() * meant + (1 - there).sqrt() * noise
        return nearer

    def noised(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Latents with the noise of their own times, (n,), in them."""
        mixed: Tensor = self.scheduler.add_noise(latents, noise, times)
        return mixed

    def wanted(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """What the model should have said of `noised`: the noise, or what else it predicts."""
        kind = self.scheduler.config["prediction_type"]
        if kind == "sample":
            return latents
        if kind == "v_prediction":
            velocity: Tensor = self.scheduler.get_velocity(latents, noise, times)
            return velocity
        return noise


def checked(config: Mapping[str, object], where: str) -> None:
    """Make sure that DDIM can follow a scheduler's configuration.

    Raises:
        CheckpointError: the model was trained for another process.
    """
    name = str(config.get("_class_name", ""))
    kind = config.get("prediction_type", "epsilon")
    if "FlowMatch" in name or "EDM" in name or kind not in _PREDICTS:
        raise CheckpointError(
            f"the scheduler {visible(name)} with {visible(str(kind))} cannot be sampled by DDIM",
            where=where,
            hint=f"models that predict {', '.join(_PREDICTS)} can",
        )
