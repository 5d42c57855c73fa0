"""Importance of single weights by the size of what flows into them, with a concept and without."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def importance(weight: Array, with_it: Array, without: Array) -> NDArray[np.float32]:
    """How early each weight is among the most important of its row, in any step.

    In each step weights are ranked in their row by |w_ij| |x_j|, x_j the j-th input with the
    concept; they count where |x_j| is larger with the concept than without. A weight's value is the
    share of its row that is not before it, in the step where that is most; 0 where it never counts.
    So the weights of a value above 1 - r are just the union, over the steps, of the r most
    important of each row: one set of values serves every ratio.

    Args:
        weight: (out, in).
        with_it, without: (steps, in), sizes of the inputs in every step.

    Returns:
        (out, in), from 0 to 1.

    Source: Chavhan et al. 2025, arXiv 2405.19237, section 3; Sun et al. 2024, arXiv 2306.11695.
    """
    best, size = np.zeros(weight.shape, np.float32), np.abs(weight)
    for own, plain in zip(with_it, without, strict=True):
        value = 1 - places_in_row(size * own) / np.float32(weight.shape[1])
        best = np.maximum(best, np.where(own > plain, value, 0))
    return best.astype(np.float32)


def places_in_row(values: Array) -> NDArray[np.int64]:
    """The place of each value in its row, the largest first; of equal ones the left one first."""
    order = np.argsort(-values, axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(values.shape[1])[None], axis=1)
    return places


def most_important(values: Array, ratio: float) -> NDArray[np.int64]:
    """The weights that are among the first `ratio` of their row in some step.

    Args:
        values: (out, in), as `importance` gives them.
        ratio: of a row, rounded up to whole weights.

    Returns:
        (k,), places in the weight laid out row by row.
    """
    width = values.shape[1]
    count = min(width, int(np.ceil(ratio * width - 1e-9)))
    # Half a place off both neighbours: values are whole places of single precision.
    return np.flatnonzero(values.ravel() * width > width - count + 0.5)
