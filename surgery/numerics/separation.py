"""How well a list of channels tells a concept from its absence on samples it was not chosen on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.numerics.neurons import strongest, z_values

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Separation:
    """What a list of channels made of unseen samples.

    Args:
        auc: how often a sample with the concept is above one without it: 0.5 by chance.
        balanced: the mean share of either kind that is on its own side of the midpoint.
    """

    auc: float
    balanced: float


def separation(own: Matrix, plain: Matrix, count: int) -> Separation:
    """Choose the strongest channels on every other sample, and tell the rest apart by them.

    A sample's value is the mean over the chosen channels of what it gives there, standardised by
    the samples chosen on, with the sign of the channel's z. The two are averaged where the halves
    take turns in being chosen on.

    Args:
        own: (n, c), with the concept; n >= 4.
        plain: (m, c), without it; m >= 4.
        count: how many channels.
    """
    found = [_told(own, plain, count, half) for half in (0, 1)]
    return Separation(
        float(np.mean([one.auc for one in found])), float(np.mean([one.balanced for one in found]))
    )


def _told(own: Matrix, plain: Matrix, count: int, half: int) -> Separation:
    seen, unseen = (own[half::2], plain[half::2]), (own[1 - half :: 2], plain[1 - half :: 2])
    z = z_values(*seen)
    chosen = strongest(z, count)
    centre, scale = _standard(seen, chosen)
    ways = np.sign(z[chosen])
    above, below = (((one[:, chosen] - centre) / scale * ways).mean(axis=1) for one in unseen)
    return Separation(auc(above, below), float(((above > 0).mean() + (below <= 0).mean()) / 2))


def _standard(seen: tuple[Matrix, Matrix], chosen: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
    """The midpoint of both means, and the spread within either kind."""
    own, plain = (one[:, chosen] for one in seen)
    centre = (own.mean(axis=0) + plain.mean(axis=0)) / 2
    scale = np.sqrt((own.var(axis=0) + plain.var(axis=0)) / 2)
    return centre, np.where(scale > 0, scale, 1.0)


def auc(above: Matrix, below: Matrix) -> float:
    """How often a value of the first is above one of the second; equal ones count half."""
    gaps = above[:, None] - below[None, :]
    return float((gaps > 0).mean() + (gaps == 0).mean() / 2)
