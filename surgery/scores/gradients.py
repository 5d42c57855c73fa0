"""Gradients of some weights alone, added up in single precision whatever the model computes in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from surgery.hooks import gradients
from surgery.model import Model


@dataclass(slots=True, eq=False)
class Sums:
    """Gradients or their squares, added up weight by weight: one copy of the weights.

    Args:
        parameters: site -> the weight.
        squared: whether each gradient is squared before it is added.
        sums: site -> float32, shaped like the weight.
    """

    parameters: dict[str, nn.Parameter]
    squared: bool = False
    sums: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model, sites: Sequence[str], *, squared: bool = False) -> Sums:
        """Nothing added up yet.

        Raises:
            UsageError: a site that is no single weight of the denoiser.
        """
        found = {site: model.owner(site).get_parameter("weight") for site in sites}
        zeros = {site: torch.zeros_like(one, dtype=torch.float32) for site, one in found.items()}
        return cls(found, squared, zeros)

    @torch.no_grad()
    def add(self, site: str, gradient: Tensor) -> None:
        """Add one gradient."""
        single = gradient.float()
        if self.squared:
            self.sums[site].addcmul_(single, single)
        else:
            self.sums[site].add_(single)

    @torch.no_grad()
    def times_weight(self, scale: float) -> dict[str, Tensor]:
        """w times each sum, or w^2 times where squared, and a scale; in place."""
        for site, total in self.sums.items():
            weight = self.parameters[site].float()
            for _ in range(2 if self.squared else 1):
                total.mul_(weight)
            total.mul_(scale)
        return self.sums


@contextmanager
def collecting(model: Model, sums: Sums, *, checkpointing: bool = False) -> Iterator[None]:
    """Every `backward` in the block adds the gradients of just these weights to the sums.

    Args:
        checkpointing: forget what flowed inside of blocks, and compute it again on the way back:
            less memory, half as much time again.
    """
    denoiser: Any = model.denoiser
    among = denoiser.parameters()
    with torch.enable_grad(), gradients(sums.parameters, among, sums.add):
        # Another may have switched it on: what is found is left behind.
        before = bool(getattr(denoiser, "is_gradient_checkpointing", False))
        if checkpointing and not before:
            denoiser.enable_gradient_checkpointing()
        try:
            yield
        finally:
            if checkpointing and not before:
                denoiser.disable_gradient_checkpointing()
