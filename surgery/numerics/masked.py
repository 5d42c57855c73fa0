"""What a mask takes by score, and what it is foretold to move, from a weight before and after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def share_left(values: Array, before: Array, after: Array) -> float:
    """The share of all positive scores that stands on weights which were not taken out.

    A score is the first-order effect of taking its component out, so this is what a linear model
    of the network would leave of the concept; real effects level off.

    Args:
        values: (out, in) for single weights, or (out,) for rows.
        before, after: (out, in).
    """
    speaking = np.maximum(values, 0).astype(np.float64)
    total = speaking.sum()
    if not total:
        return 1.0
    kept = after == before if values.ndim == 2 else (after == before).all(axis=1)
    return float(speaking[kept].sum() / total)


def foretold_drift(before: Array, after: Array, sizes: Array) -> float:
    """|(W' - W) x| / |W x| over inputs that do not go together, x_j of root mean square sizes_j.

    Args:
        before, after: (out, in).
        sizes: (in,).

    Source: the importance of Sun et al. 2024, arXiv 2306.11695, summed over a weight.
    """
    change, old = (after.astype(np.float64) - before) * sizes, before.astype(np.float64) * sizes
    size = np.linalg.norm(old)
    return float(np.linalg.norm(change) / size) if size else 0.0
