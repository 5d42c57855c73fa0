"""FID between the pictures of both models, group by group."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from surgery.judges.metrics import Frechet
from surgery.report.verify import GROUPS, Figure, Group
from surgery.verify.samples import Sample

LEAST = 2
"""Pictures of each model without which there is no covariance."""


def frechet_figures(frechet: Frechet, samples: Sequence[Sample]) -> dict[Group, Figure]:
    """The distance of each group that has pictures enough, in the order of groups.

    Its interval is the value itself: pictures drawn again hold some of them twice, which moves
    every FID upwards.
    """
    found: dict[Group, Figure] = {}
    for group in GROUPS:
        some = [one.features for one in samples if one.row.group == group and one.features]
        if len(some) >= LEAST:
            before, after = (torch.stack(side) for side in zip(*some, strict=True))
            value = frechet.between(before, after)
            found[group] = Figure(value, value, value, len(some), "none")
    return found
