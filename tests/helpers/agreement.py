"""How far two rankings of the same places agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation, in [-1, 1]; nan where one of them ranks nothing.

    Equal values share the mean of their ranks.

    Args:
        a, b: (n,), two figures of each of n places.
    """
    first, second = _centred(ranks(a)), _centred(ranks(b))
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size else float("nan")


def ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1 on, smallest first, as (n,); equal values share the mean of theirs."""
    _, place, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: NDArray[np.float64] = (last - (counts - 1) / 2)[place]
    return shared


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = values - values.mean()
    return centred
