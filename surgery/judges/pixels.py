"""Pictures as a vision tower wants them: resized, cut, normalised. Needs no torchvision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from surgery.errors import CheckpointError

Triple = tuple[float, float, float]

CLIP_MEAN: Triple = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Triple = (0.26862954, 0.26130258, 0.27577711)
"""Radford et al. 2021, the published preprocessing of CLIP."""
HALF: Triple = (0.5, 0.5, 0.5)
_RESAMPLE = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How pictures are made ready.

    Args:
        side: of the square that the tower sees.
        edge: what the shorter edge is resized to before the middle is cut out; None resizes to
            the square itself, whatever becomes of the proportions.
        mode: bicubic or bilinear, with antialias.
        mean, std: per channel, of values in [0, 1].
    """

    side: int
    edge: int | None
    mode: str = "bicubic"
    mean: Triple = CLIP_MEAN
    std: Triple = CLIP_STD

    def __call__(self, pictures: Tensor) -> Tensor:
        """(n, 3, H, W) in [-1, 1] → (n, 3, side, side), normalised."""
        values = _resized((pictures.float().clamp(-1, 1) + 1) / 2, self._size(pictures), self.mode)
        top, left = ((length - self.side) // 2 for length in values.shape[-2:])
        values = values[..., top : top + self.side, left : left + self.side]
        mean, std = (torch.tensor(one, device=values.device) for one in (self.mean, self.std))
        return (values - mean[:, None, None]) / std[:, None, None]

    def _size(self, pictures: Tensor) -> tuple[int, int]:
        if self.edge is None:
            return self.side, self.side
        height, width = pictures.shape[-2:]
        short = min(height, width)
        return self.edge * height // short, self.edge * width // short


def _resized(values: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    if values.shape[-2:] == size:
        return values
    # Bicubic weights go below zero and beyond one, where no pixel can.
    return F.interpolate(values, size, mode=mode, antialias=True, align_corners=False).clamp(0, 1)


def preparation(config: Mapping[str, object] | None, side: int, where: str) -> Preparation:
    """Read a preprocessor_config.json.

    Args:
        config: what the file holds; None takes what CLIP published.
        side: what the tower sees.
        where: the file, for errors.

    Raises:
        CheckpointError: it asks for what is not there.
    """
    if config is None:
        return Preparation(side, side)
    resample = config.get("resample", 3)
    if resample not in _RESAMPLE:
        raise CheckpointError(
            f"the resampling {resample!r} is not among those known here",
            where=where,
            hint="2 (bilinear) and 3 (bicubic) are",
        )
    return Preparation(
        side,
        _edge(config.get("size"), side),
        _RESAMPLE[int(str(resample))],
        _triple(config, "image_mean", CLIP_MEAN, where),
        _triple(config, "image_std", CLIP_STD, where),
    )


def _edge(size: object, side: int) -> int | None:
    """`224` or `{shortest_edge: 224}` keep proportions, `{height: 224, width: 224}` does not."""
    if isinstance(size, Mapping):
        if "shortest_edge" not in size:
            return None
        size = size["shortest_edge"]
    return max(size, side) if isinstance(size, int) else side


def _triple(config: Mapping[str, object], name: str, otherwise: Triple, where: str) -> Triple:
    found = config.get(name)
    if found is None:
        return otherwise
    numbers = found if isinstance(found, list) else []
    if len(numbers) != 3 or not all(isinstance(one, int | float) for one in numbers):
        raise CheckpointError(f"{name} is not a list of three numbers", where=where)
    return float(numbers[0]), float(numbers[1]), float(numbers[2])
