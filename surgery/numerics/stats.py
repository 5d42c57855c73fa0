"""Figures that tell how well an edit did what it was asked, from keys and weights alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def leak(before: Matrix, after: Matrix, keys: Matrix, targets: Matrix) -> Matrix:
    """How far each edited key still is from its target: |W' k - W t| / |W t|, as (n,).

    0 says that the key now gives what its target gives. With `after` equal to `before` it is the
    distance there was to begin with.

    Args:
        before: (out, in), the weight W as it was.
        after: (out, in), the edited weight W'.
        keys: (n, in), the edited inputs.
        targets: (n, in), the inputs whose outputs they should have.
    """
    wanted = targets @ before.T
    return _ratios(keys @ after.T - wanted, wanted)


def drift(before: Matrix, after: Matrix, keys: Matrix) -> Matrix:
    """How far the output of each preserve key has moved: |(W' - W) p| / |W p|, as (m,).

    The difference is taken in full, the products in single precision: six digits of a figure.

    Args:
        before: (out, in), the weight W as it was.
        after: (out, in), the edited weight W'.
        keys: (m, in), inputs whose outputs should have stayed.
    """
    narrow = keys.astype(np.float32)
    moved = narrow @ (after - before).astype(np.float32).T
    return _ratios(moved, narrow @ before.astype(np.float32).T)


def _ratios(changes: NDArray[np.floating], references: NDArray[np.floating]) -> Matrix:
    sizes = np.linalg.norm(references, axis=1).astype(np.float64)
    moved = np.linalg.norm(changes, axis=1).astype(np.float64)
    unmoved = np.where(moved > 0, np.inf, 0.0)
    return np.where(sizes > 0, moved / np.where(sizes > 0, sizes, 1.0), unmoved)
