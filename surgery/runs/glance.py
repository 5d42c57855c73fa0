"""Runs with another prompt in some layers, cut short after two steps.

The first step is from pure noise straight to the second time, guided; there the prompt alone is
asked, and what counts is the picture that its prediction speaks of. Every row goes its own way
between the two, as in a whole run, and 2 of 20 guided steps tell most of where it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from surgery.hooks import intervene
from surgery.model import Model
from surgery.runs.base import Row, Sampling
from surgery.runs.substitution import prepared

GRID, FIRST, SECOND = 20, 0, 6
"""Of 20 steps the first and the seventh, times 951 and 651 of 1000 for Stable Diffusion."""
STEPS = 2


@torch.no_grad()
def glanced(
    model: Model, rows: Sequence[Row], sampling: Sampling, on_step: Callable[[int], None]
) -> Tensor:
    """The picture's latents that each row speaks of at its second step.

    The empty prompt is asked once for each seed: all rows of a seed begin with the same noise.

    Returns:
        Latents (n, channels, height, width).
    """
    asked, hooks = prepared(model, rows)
    schedule, seeds = model.schedule(GRID), [row.case.seed for row in rows]
    first, second = schedule.times[FIRST], schedule.times[SECOND]
    latents = model.noise(seeds)
    with intervene(hooks):
        said = model.predict(latents, first, asked)
    on_step(len(rows))
    if sampling.guidance != 1:
        against = _against(model, latents, first, seeds)
        said = against + sampling.guidance * (said - against)
    latents = schedule.jump(said, first, latents, second)
    with intervene(hooks):
        said = model.predict(latents, second, asked)
    on_step(len(rows))
    return schedule.picture(said, second, latents)


def _against(model: Model, latents: Tensor, time: Tensor, seeds: Sequence[int]) -> Tensor:
    """What the empty prompt says of each row's noise, asked once for each seed."""
    order = list(dict.fromkeys(seeds))
    picked = latents[[seeds.index(seed) for seed in order]]
    said = model.predict(picked, time, model.empty(len(order)))
    return said[[order.index(seed) for seed in seeds]]
