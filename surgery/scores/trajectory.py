"""The sampling that scores are taken along: guided, each latent with its own time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from surgery.hooks import Hook, behind, intervene
from surgery.model import Conditioning, Model


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Where a sampling is before one of its steps.

    Args:
        number: of the step, from 0.
        time: what the denoiser is told; `latents` have just the noise of that time.
        latents: (n, channels, side, side), float32.
    """

    number: int
    time: Tensor
    latents: Tensor


def moments(
    model: Model,
    told: Conditioning,
    seeds: Sequence[int],
    *,
    steps: int,
    guidance: float,
    last: int | None = None,
    hooks: Sequence[Hook] = (),
) -> Iterator[Moment]:
    """Walk along a sampling, as `Model.denoise` does it.

    Args:
        told: n prompts.
        seeds: n numbers.
        last: how many steps are walked; None for all.
        hooks: changes that are in force while the prompt is asked, whose rows are these n. They
            run after a moment was handed out and before the next one is.
    """
    schedule, count, asked, kept = model.schedule(steps), len(seeds), told, list(hooks)
    if guidance != 1:
        asked = Conditioning.cat([model.empty(count), told])
        kept = [behind(hook, count) for hook in hooks]
    latents = model.noise(seeds)
    for number, time in enumerate(schedule.times[:last]):
        yield Moment(number, time, latents)
        with torch.no_grad():
            with intervene(kept):
                both = torch.cat([latents] * (len(asked) // count))
                said = model.predict(both, time, asked)
            if guidance != 1:
                against, said = said.chunk(2)
                said = against + guidance * (said - against)
            latents = schedule.step(said, time, latents)
