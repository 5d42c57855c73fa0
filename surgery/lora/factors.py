"""Two factors of a change made equally long, and as thin as the change allows. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surgery.edits.delta import Array, LowRank

_EPS = float(np.finfo(np.float64).eps)


def joined(parts: Sequence[LowRank]) -> LowRank:
    """The sum of several changes of one weight, as one product."""
    return LowRank(
        np.concatenate([part.up for part in parts], axis=1, dtype=np.float64),
        np.concatenate([part.down for part in parts], axis=0, dtype=np.float64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The rows of a second factor as orthonormal ones: `down` is `triangle^T basis^T`."""

    basis: Array
    triangle: Array

    @classmethod
    def of(cls, down: Array) -> Span:
        """Decompose a factor (r, in)."""
        return cls(*np.linalg.qr(down.T.astype(np.float64)))


class Spans:
    """The span of each second factor that was asked for; one that many weights share is found once.

    A map of a hundred matrices has one second factor.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[list[Array], Span]] = {}

    def of(self, parts: Sequence[LowRank]) -> Span:
        """Return the span of the parts' second factors together."""
        downs = [part.down for part in parts]
        key = tuple(map(id, downs))
        if key not in self._known:
            # The arrays are held too: a number is theirs only while they live.
            self._known[key] = downs, Span.of(joined(parts).down)
        return self._known[key][1]


def balanced(change: LowRank, span: Span | None = None) -> LowRank:
    """The same product with factors whose Gram matrices are one diagonal matrix, largest first.

    With `down down^T = L L^T`, the rows of `L^-1 down` are orthonormal and `up L` has all lengths;
    the eigenvectors of its Gram matrix turn both, and the lengths are shared. L comes from a QR of
    `down` itself, so that factors that nearly depend on each other keep their digits. A component
    is dropped only if it is below what rounding in float64 makes of the sum of all.

    Args:
        span: that of `change.down`, where it is known.

    Source: METHODS 9c; the factor L^T is the R of the QR, since `R^T R` is the Gram matrix.
    """
    span = span or Span.of(change.down)
    inner = change.up.astype(np.float64) @ span.triangle.T
    _, turn = np.linalg.eigh(inner.T @ inner)
    columns, rows = (inner @ turn)[:, ::-1], (span.basis @ turn).T[::-1]
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
