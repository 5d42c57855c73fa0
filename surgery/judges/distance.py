"""How far two pictures are from each other in the eyes of a vision tower.

As in LPIPS, features of several layers are brought to length 1 place by place and compared there.
Unlike it, no weights are learned from what people said, so the figures are not those of LPIPS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from surgery.judges.towers import Towers

LAYERS = 4


@dataclass(frozen=True, slots=True, eq=False)
class VisionDistance:
    """The mean of 1 less the cosine, over places and over layers at even depths.

    Args:
        towers: the model whose vision tower is used.

    Source: Zhang et al. 2018, arXiv 1801.03924, eq. 1, with all weights 1.
    """

    towers: Towers

    @torch.no_grad()
    def between(self, before: Tensor, after: Tensor) -> list[float]:
        """Distances of pictures (n, 3, H, W) in [-1, 1], row by row; 0 of the same."""
        first, second = self._features(before), self._features(after)
        parts = [1 - (one * other).sum(2).mean(1) for one, other in zip(first, second, strict=True)]
        found = torch.stack(parts).mean(0).clamp(min=0)
        # Rounding leaves a trace between pictures that are the same.
        same = (before == after).flatten(1).all(1).to(found.device)
        distances: list[float] = torch.where(same, torch.zeros_like(found), found).tolist()
        return distances

    def _features(self, pictures: Tensor) -> Sequence[Tensor]:
        """(n, places, width) of each layer, every place of length 1."""
        model = self.towers.model
        ready = self.towers.prepare(pictures.to(model.device))
        states = model.vision_model(ready, output_hidden_states=True).hidden_states
        last = len(states) - 1
        depths = dict.fromkeys(-(-last * part // LAYERS) for part in range(1, LAYERS + 1))
        return [F.normalize(states[depth].float(), dim=2) for depth in depths]
