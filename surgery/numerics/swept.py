"""Leak and drift of many changes of one matrix: what all of them share is worked out once.

A change is a product up @ right with few rows in `right`, so that only its own coordinates of a
state enter. Arrays in, arrays out; no names here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a matrix W gives before any change.

    Args:
        gaps: (n, out), W (k - t) of every key and its target.
        still: (m,), |W p| of every state that should stay.
    """

    gaps: Array
    still: Matrix

    @classmethod
    def of(cls, weight: Array, gaps: Array, others: Array) -> Seen:
        """Look at one matrix.

        Args:
            weight: (out, in).
            gaps: (n, in), k - t.
            others: (m, in), p.
        """
        turned = weight.astype(np.float32, copy=False).T
        return cls(gaps @ turned, _lengths(others @ turned))

    def leak(self, up: Array, keys: Array) -> Matrix:
        """|W' k - W t| / |W k - W t|, as (n,), as `stats.leak` has it.

        Args:
            up: (out, r).
            keys: (n, r), right @ k.
        """
        return _shares(_lengths(self.gaps + keys @ up.T), _lengths(self.gaps))

    def drift(self, up: Array, others: Array) -> Matrix:
        """|(W' - W) p| / |W p|, as (m,), as `stats.drift` has it.

        Args:
            up: (out, r).
            others: (m, r), right @ p.
        """
        rows, columns = up.shape
        # The triangular factor has the lengths of `up`, and fewer rows.
        short: Array = np.asarray(np.linalg.qr(up, mode="r")) if 2 * columns <= rows else up
        return _shares(_lengths(others @ short.T), self.still)


def _lengths(rows: Array) -> Matrix:
    lengths: Matrix = np.sqrt(np.einsum("nd,nd->n", rows, rows)).astype(np.float64)
    return lengths


def _shares(moved: Matrix, whole: Matrix) -> Matrix:
    nothing = np.where(moved > 0, np.inf, 0.0)
    return np.where(whole > 0, moved / np.where(whole > 0, whole, 1.0), nothing)
