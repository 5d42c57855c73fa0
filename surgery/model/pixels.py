"""Between latents and pixels: how large each is, and the decoder. No sampling here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from surgery.errors import UsageError
from surgery.model.networks import Networks
from surgery.model.parts import config_of


def pixels_per_side(vae: nn.Module | None) -> int:
    """Pixels along one side of a latent's place; 1 where the denoiser paints pixels."""
    return 1 if vae is None else _halvings(vae)


def latent_side(networks: Networks, resolution: int | None) -> int:
    """Height and width of latents for pictures of so many pixels, or of the model's own size.

    Raises:
        UsageError: no whole number of latents, or nothing says how large pictures are.
    """
    scale = pixels_per_side(networks.vae)
    if resolution is None:
        if not networks.side:
            raise UsageError(
                "the model does not say how large its pictures are", hint="say it by --resolution"
            )
        return networks.side
    # Pixels are halved in the denoiser, which must meet the same numbers on its way back.
    step = scale if networks.vae is not None else _halvings(networks.denoiser)
    if resolution < step or resolution % step:
        raise UsageError(
            f"this model cannot paint {resolution} pixels a side",
            hint=f"a multiple of {step}; its own are {networks.side * scale}",
        )
    return resolution // scale


def decoded(vae: Any, latents: Tensor) -> Tensor:
    """Pictures (n, 3, height, width), float32, about within [-1, 1]."""
    config = config_of(vae)
    spread, middle = _numbers(config, "latents_std", 1), _numbers(config, "latents_mean", 0)
    scale = float(str(config.get("scaling_factor") or 1))
    shift = float(str(config.get("shift_factor") or 0))
    own = latents * spread.to(latents) / scale + middle.to(latents) + shift
    pictures: Tensor = vae.decode(own.to(next(vae.parameters()).dtype)).sample
    return pictures.float()


def _numbers(config: dict[str, object], name: str, otherwise: float) -> Tensor:
    """One number for each channel, shaped to meet latents."""
    stated = config.get(name)
    values = stated if isinstance(stated, Sequence) else [otherwise]
    return torch.tensor([float(one) for one in values]).view(1, -1, 1, 1)


def _halvings(network: nn.Module) -> int:
    levels = config_of(network)["block_out_channels"]
    assert isinstance(levels, Sequence)
    return int(2 ** (len(levels) - 1))
