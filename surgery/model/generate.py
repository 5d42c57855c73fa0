"""From prompts to pictures, in batches. Scoring what comes out is not done here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from surgery.model.base import Model

STEPS, GUIDANCE = 20, 3.0
"""What the built-in model was measured with; latents of 8 x 8 saturate at the usual 7.5."""


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
        told = model.encode(prompts[some])
        latents = model.denoise(told, seeds[some], steps=steps, guidance=guidance)
        made.append(model.decode(latents).cpu())
        on_batch(len(made[-1]))
    return torch.cat(made)
