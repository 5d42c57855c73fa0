"""LPIPS and FID by torchmetrics: distances of pictures as papers report them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from surgery.judges.metric_files import imported, ready, tensors_only


@dataclass(frozen=True, slots=True, eq=False)
class Lpips:
    """Learned perceptual distance of two pictures, 0 where they are the same.

    Args:
        digest: of the weights.
        metric: of torchmetrics, giving a distance for each pair.

    Source: Zhang et al. 2018, arXiv 1801.03924, with AlexNet.
    """

    digest: str
    metric: nn.Module

    @torch.no_grad()
    def between(self, before: Tensor, after: Tensor) -> list[float]:
        """Distances of pictures (n, 3, H, W) in [-1, 1], row by row."""
        device = next(self.metric.parameters()).device
        found: list[float] = [
            float(self.metric(one[None].to(device), other[None].to(device)))
            for one, other in zip(before, after, strict=True)
        ]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Frechet:
    """Fréchet distance of two sets of pictures in the features of a network.

    Args:
        digest: of the weights.
        network: pictures (n, 3, H, W), uint8 → features (n, width).

    Source: Heusel et al. 2017, arXiv 1706.08500, eq. 6.
    """

    digest: str
    network: nn.Module

    @torch.no_grad()
    def features(self, pictures: Tensor) -> Tensor:
        """Features of pictures (n, 3, H, W), uint8: (n, width) on the CPU."""
        device = next(self.network.parameters()).device
        made: Tensor = self.network(pictures.to(device))
        return made.float().cpu()

    def between(self, before: Tensor, after: Tensor) -> float:
        """The distance of two sets of features, each (n, width) with n of 2 or more."""
        metric = imported("fid").FrechetInceptionDistance(feature=_AsTheyAre(before.shape[1]))
        metric.update(before, real=True)
        metric.update(after, real=False)
        # Rounding leaves less than nothing between sets that are the same.
        return max(0.0, float(metric.compute()))


class _AsTheyAre(nn.Module):
    """Stands where torchmetrics has its network: features were taken batch by batch, as painted."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, features: Tensor) -> Tensor:
        return features


def load_lpips(device: str = "cpu") -> Lpips:
    """LPIPS with the weights of this machine.

    Raises:
        UsageError: packages or weights are missing, or do not go together.
        CheckpointError: the file of weights is another one.
    """
    path, digest, module = ready("lpips")
    with tensors_only(path):
        metric = module.LearnedPerceptualImagePatchSimilarity(net_type="alex")
    return Lpips(digest, cast(nn.Module, metric.to(device)))


def load_frechet(device: str = "cpu") -> Frechet:
    """FID with the weights of this machine.

    Raises:
        UsageError: packages or weights are missing, or do not go together.
        CheckpointError: the file of weights is another one.
    """
    path, digest, module = ready("fid")
    with tensors_only(path):
        metric = module.FrechetInceptionDistance(2048, feature_extractor_weights_path=str(path))
    return Frechet(digest, cast(nn.Module, metric.inception.to(device)))
