"""Two factors of a change made equally long, and as thin as the change allows. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surgery.edits.delta import LowRank

_EPS = float(np.finfo(np.float64).eps)


def joined(parts: Sequence[LowRank]) -> LowRank:
    """The sum of several changes of one weight, as one product."""
    return LowRank(
        np.concatenate([part.up for part in parts], axis=1, dtype=np.float64),
        np.concatenate([part.down for part in parts], axis=0, dtype=np.float64),
    )


def balanced(change: LowRank) -> LowRank:
    """The same product with factors whose Gram matrices are one diagonal matrix, largest first.

    With `down down^T = L L^T`, the rows of `L^-1 down` are orthonormal and `up L` has all lengths;
    the eigenvectors of its Gram matrix turn both, and the lengths are shared. L comes from a QR of
    `down` itself, so that factors that nearly depend on each other keep their digits. A component
    is dropped only if it is below what rounding in float64 makes of the sum of all.

    Source: METHODS 9c; the factor L^T is the R of the QR, since `R^T R` is the Gram matrix.
    """
    basis, triangle = np.linalg.qr(change.down.T.astype(np.float64))
    inner = change.up.astype(np.float64) @ triangle.T
    _, turn = np.linalg.eigh(inner.T @ inner)
    columns, rows = (inner @ turn)[:, ::-1], (basis @ turn).T[::-1]
    lengths = np.linalg.norm(columns, axis=0)
    summands = np.linalg.norm(change.up, axis=0) * np.linalg.norm(change.down, axis=1)
    kept = lengths > _EPS * max(change.shape) * summands.sum()
    halves = np.sqrt(lengths[kept])
    return LowRank(columns[:, kept] / halves, rows[kept] * halves[:, None])


def widened(change: LowRank, rank: int) -> LowRank:
    """The same product with zero components added up to a rank."""
    more = rank - change.rank
    return LowRank(
        np.pad(change.up, ((0, 0), (0, more))),
        np.pad(change.down, ((0, more), (0, 0))),
    )
