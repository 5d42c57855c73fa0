"""Directions of an output space in which a concept stands out. Numpy only, rows are samples.

What carries a concept need not be one channel: any few directions may. Found are those along which
its difference is largest against how much is there without it, so that dropping them takes the
concept and little else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

EMPTY = 1e-12
"""A direction with less of the difference than this share of the main one has none of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """Pairs of directions with read' fill = I: `y - fill read' y` has nothing along `read`.

    Args:
        read: (d, r), what is looked at.
        fill: (d, r), what is taken away for each unit that is found there.
        shares: (r,), how much of the difference each takes, of all of it.
    """

    read: Matrix
    fill: Matrix
    shares: Matrix


def standing_out(differences: Matrix, plain: Matrix, count: int, ridge: float) -> Directions:
    """The directions with most of a difference against what is there without it.

    `read` are the generalised eigenvectors of C a = l M a with the largest l, C the second moment
    of the differences and M that of the plain samples, scaled to a mean of 1 on its diagonal, plus
    the ridge; `fill` = M read, so that what is taken away is least in units of M. A large ridge
    makes M the identity, and the directions the principal ones.

    Args:
        differences: (n, d).
        plain: (m, d).
        count: how many at most; there are fewer where the difference has fewer.
        ridge: what every direction counts, besides what the plain samples have there.
    """
    width = differences.shape[1]
    lower = np.linalg.cholesky(_unit(plain) + ridge * np.eye(width))
    whitened = np.linalg.solve(lower, differences.T)
    basis, sizes, _ = np.linalg.svd(whitened, full_matrices=False)
    energy = sizes**2
    some = min(count, int(np.count_nonzero(energy > EMPTY * energy.max(initial=0.0))))
    main: Matrix = basis[:, :some]
    read = np.linalg.solve(lower.T, main)
    return Directions(read, lower @ main, energy[:some] / energy.sum() if some else energy[:0])


def by_head(heads: int, width: int) -> tuple[slice, ...]:
    """The rows of each head of a weight with so many rows; equal, one after the other."""
    size = width // heads
    return tuple(slice(head * size, (head + 1) * size) for head in range(heads))


def _unit(samples: Matrix) -> Matrix:
    """The second moment with a mean of 1 on its diagonal; zero where there is nothing."""
    moment: Matrix = samples.T @ samples
    size = np.trace(moment) / len(moment)
    return moment / size if size else moment
