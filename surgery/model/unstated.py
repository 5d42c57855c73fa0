"""What a denoiser predicts, where no file says it: asked of the denoiser itself.

Of nothing but noise, one that predicts noise gives the noise back; one that predicts velocity gives
almost nothing of it. Only Stable Diffusion 2 came in both kinds with the same shapes.
Source: Salimans & Ho 2022, arXiv 2202.00512, appendix D, v = alpha noise - sigma picture.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from surgery.model.conditioning import encode
from surgery.model.networks import sample_side
from surgery.model.parts import Parts
from surgery.model.settings import bundled

LAST_TIME, LEAST = 999, 0.5
"""The noisiest time, and how much of the noise must come back."""


def decided(parts: Parts) -> Parts:
    """The same model, with what it predicts, and its own size, settled."""
    if "prediction_type" in parts.networks.scheduler:
        return parts
    real = "sd21-base" if echo(parts) > LEAST else "sd21"
    said = bundled(real)
    unet, scheduler = said["unet"], said["scheduler"]
    assert isinstance(unet, dict) and isinstance(scheduler, dict)
    kind = {"prediction_type": scheduler["prediction_type"]}
    settled = {**parts.networks.scheduler, **kind}
    return replace(
        parts, networks=replace(parts.networks, scheduler=settled, side=sample_side(unet))
    )


@torch.no_grad()
def echo(parts: Parts) -> float:
    """How like the noise the answer to it is: their cosine, -1 to 1."""
    denoiser = parts.networks.denoiser
    weight = next(denoiser.parameters())
    shape = (1, 4, parts.networks.side, parts.networks.side)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    told = encode([""], parts.layout, parts.networks.towers, parts.tokens, ())
    said = (
        denoiser(noise.to(weight), LAST_TIME, encoder_hidden_states=told.states)
        .sample.float()
        .cpu()
    )
    return float(torch.cosine_similarity(said.flatten(), noise.flatten(), dim=0))
