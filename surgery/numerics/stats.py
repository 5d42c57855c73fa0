"""Figures that tell how well an edit did what it was asked, from keys and weights alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Matrix = NDArray[np.float64]

# Keys whose outputs are held at a time.
ROWS = 512


def leak(before: Array, after: Array, keys: Matrix, targets: Matrix) -> Matrix:
    """How much of each edited key is left: |W' k - W t| / |W k - W t|, as (n,).

    0 says that the key now gives what its target gives, 1 that it is as far from it as it was.
    Taken as |(W' - W) k + W (k - t)|, so that what the two outputs share does not cancel.

    Args:
        before: (out, in), the weight W as it was.
        after: (out, in), the edited weight W'.
        keys: (n, in), the edited inputs.
        targets: (n, in), the inputs whose outputs they should have.
    """
    change, old = (after - before).T, before.T
    found = np.empty(len(keys))
    for first in range(0, len(keys), ROWS):
        some = slice(first, first + ROWS)
        way = (keys[some] - targets[some]).astype(after.dtype) @ old
        found[some] = _ratios(way + keys[some].astype(after.dtype) @ change, way)
    return found


def drift(before: Array, after: Array, keys: Matrix) -> Matrix:
    """How far the output of each preserve key has moved: |(W' - W) p| / |W p|, as (m,).

    The difference is taken in full, the products in single precision: six digits of a figure.

    Args:
        before: (out, in), the weight W as it was.
        after: (out, in), the edited weight W'.
        keys: (m, in), inputs whose outputs should have stayed.
    """
    change, old = (after - before).astype(np.float32).T, before.astype(np.float32).T
    found = np.empty(len(keys))
    for first in range(0, len(keys), ROWS):
        narrow = keys[first : first + ROWS].astype(np.float32)
        found[first : first + ROWS] = _ratios(narrow @ change, narrow @ old)
    return found


def _ratios(changes: NDArray[np.floating], references: NDArray[np.floating]) -> Matrix:
    sizes = np.linalg.norm(references, axis=1).astype(np.float64)
    moved = np.linalg.norm(changes, axis=1).astype(np.float64)
    unmoved = np.where(moved > 0, np.inf, 0.0)
    return np.where(sizes > 0, moved / np.where(sizes > 0, sizes, 1.0), unmoved)
