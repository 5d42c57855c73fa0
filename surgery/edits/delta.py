"""Delta: what is added to one weight, in the form that the method gave it. Numpy only.

Every form adds: a row that is to become zero is held as minus itself, so any delta can be undone,
stored and summed alike. Factors stay factors; nothing here rediscovers them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.errors import EditError

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class LowRank:
    """The product of two thin factors.

    Args:
        up: (out, r).
        down: (r, in).
    """

    up: Array
    down: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in)."""
        return self.up.shape[0], self.down.shape[1]

    @property
    def rank(self) -> int:
        """The width of the factors, which the rank of the change cannot exceed."""
        return int(self.down.shape[0])

    @property
    def norm(self) -> float:
        """Frobenius norm of the change."""
        return float(np.linalg.norm(_triangle(self.up) @ _triangle(self.down.T).T))

    @property
    def is_zero(self) -> bool:
        """Whether nothing changes."""
        return not (self.up.any() and self.down.any())

    @property
    def is_finite(self) -> bool:
        """Whether every number of the factors is finite."""
        return bool(np.isfinite(self.up).all() and np.isfinite(self.down).all())

    def added_to(self, weight: Array) -> Array:
        """The weight with the change added in float64, in the weight's own precision."""
        _fits(self.shape, weight)
        return _sum(weight, self.up.astype(np.float64) @ self.down.astype(np.float64))


class _Entries:
    """What the forms share that hold the added entries themselves."""

    __slots__ = ()
    values: Array

    @property
    def norm(self) -> float:
        """Frobenius norm of the change."""
        return float(np.linalg.norm(self.values))

    @property
    def is_zero(self) -> bool:
        """Whether nothing changes."""
        return not self.values.any()

    @property
    def is_finite(self) -> bool:
        """Whether every number of the change is finite."""
        return bool(np.isfinite(self.values).all())


@dataclass(frozen=True, slots=True, eq=False)
class Rows(_Entries):
    """Whole rows.

    Args:
        index: (k,), which rows, each once.
        values: (k, in), what is added to them.
        shape: (out, in) of the weight.
    """

    index: NDArray[np.int64]
    values: Array
    shape: tuple[int, int]

    @property
    def rank(self) -> int:
        """How many rows, which the rank of the change cannot exceed."""
        return len(self.index)

    def added_to(self, weight: Array) -> Array:
        """The weight with the change added in float64, in the weight's own precision."""
        _fits(self.shape, weight)
        changed = weight.copy()
        changed[self.index] = _sum(weight[self.index], self.values)
        return changed


@dataclass(frozen=True, slots=True, eq=False)
class Sparse(_Entries):
    """Single entries.

    Args:
        index: (k,), places in the weight laid out row by row, each once.
        values: (k,), what is added there.
        shape: (out, in) of the weight.
    """

    index: NDArray[np.int64]
    values: Array
    shape: tuple[int, int]

    @property
    def rank(self) -> int:
        """The rows or columns touched, whichever are fewer; the rank cannot exceed it."""
        rows, columns = np.divmod(self.index, self.shape[1])
        return min(len(np.unique(rows)), len(np.unique(columns)))

    def added_to(self, weight: Array) -> Array:
        """The weight with the change added in float64, in the weight's own precision."""
        _fits(self.shape, weight)
        changed = weight.flatten()
        changed[self.index] = _sum(changed[self.index], self.values)
        return changed.reshape(weight.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Dense(_Entries):
    """Every entry.

    Args:
        values: (out, in).
    """

    values: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in)."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def rank(self) -> int:
        """The lesser side, which the rank of the change cannot exceed."""
        return min(self.shape)

    def added_to(self, weight: Array) -> Array:
        """The weight with the change added in float64, in the weight's own precision."""
        _fits(self.shape, weight)
        return _sum(weight, self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """The weight times one map, shared by every weight that reads the same states.

    W' = W (I + left right). It holds no number of any weight: an edit of a hundred matrices is one
    pair of thin factors. Added in the weight's own precision, single for a stored single or less.

    Args:
        left: (in, r).
        right: (r, in); None for the identity, where `left` is the whole map (in, in).
    """

    left: Array
    right: Array | None = None

    @property
    def rank(self) -> int:
        """The width of the factors, which the rank of the change cannot exceed."""
        return int(self.left.shape[1])

    @property
    def is_zero(self) -> bool:
        """Whether nothing changes, whatever the weight."""
        return not (self.left.any() and (self.right is None or self.right.any()))

    @property
    def is_finite(self) -> bool:
        """Whether every number of the change is finite."""
        return bool(np.isfinite(self.left).all()) and (
            self.right is None or bool(np.isfinite(self.right).all())
        )

    def of(self, weight: Array) -> LowRank:
        """What the map adds to one weight, as a product of two thin factors."""
        self._check(weight)
        right = np.eye(len(self.left)) if self.right is None else self.right
        return LowRank(weight.astype(np.float64) @ self.left, right)

    def added_to(self, weight: Array) -> Array:
        """The weight with the change added, in the weight's own precision."""
        self._check(weight)
        changed: Array = weight @ self.left.astype(weight.dtype, copy=False)
        if self.right is not None:
            changed = changed @ self.right.astype(weight.dtype, copy=False)
        changed += weight
        return changed

    def _check(self, weight: Array) -> None:
        if weight.ndim != 2 or weight.shape[1] != len(self.left):
            raise EditError(
                f"a weight of shape {weight.shape} cannot read states of width {len(self.left)}"
            )


Delta = LowRank | Rows | Sparse | Dense | Mapped


def _sum(weight: Array, change: Array) -> Array:
    return (weight.astype(np.float64) + change).astype(weight.dtype)


def _triangle(matrix: Array) -> Array:
    """The triangular factor of a matrix, which has its lengths and angles."""
    factor: Array = np.asarray(np.linalg.qr(matrix, mode="r"))
    return factor


def _fits(shape: tuple[int, int], weight: Array) -> None:
    if weight.shape != shape:
        raise EditError(f"a change of shape {shape} does not fit a weight of shape {weight.shape}")
