"""Numerical rank of the difference of two stored matrices. Arrays in, a number out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SKETCH = 256
"""Widest sketch; a change of higher rank than about this is no small edit and has no figure."""

_MANTISSA_BITS = {"F64": 52, "F32": 23, "F16": 10, "BF16": 7, "F8_E4M3": 3, "F8_E5M2": 2}
_SPARE = 16


def numerical_rank(
    delta: NDArray[np.float32], sizes: NDArray[np.float32], dtype: str
) -> int | None:
    """How many singular values of `delta` stand above what rounding to `dtype` alone would leave.

    A low-rank change that was rounded to its stored type has full rank in the strict sense.
    Rounding adds noise of standard deviation ulp / sqrt(12) to each entry, and such a matrix has
    no singular value much above its longest row plus its longest column of deviations.

    Args:
        delta: (out, in), the difference.
        sizes: (out, in), absolute values of the weights it belongs to.
        dtype: stored type of the weights.

    Returns:
        The rank, or None where it is above about SKETCH and below the full one is not known.

    Source: Bandeira and van Handel (2016), Theorem 1.1 (norm of a random matrix with independent
    entries); Halko, Martinsson and Tropp (2011), Algorithm 4.1 (sketch).
    """
    values = _singular_values(delta)
    if not values.size or values[0] == 0:
        return 0
    deviation = 2.0 ** -_MANTISSA_BITS.get(dtype, 23) / np.sqrt(12)
    longest = np.linalg.norm(sizes, axis=1).max() + np.linalg.norm(sizes, axis=0).max()
    floor = float(values[0]) * max(delta.shape) * float(np.finfo(np.float32).eps)
    rank = int(np.count_nonzero(values > max(deviation * float(longest), floor)))
    known = len(values) == min(delta.shape) or rank <= SKETCH - _SPARE
    return rank if known else None


def _singular_values(delta: NDArray[np.float32]) -> NDArray[np.float32]:
    """All singular values of a small matrix, else the leading ones from a seeded random sketch."""
    if min(delta.shape) <= 2 * SKETCH:
        return np.linalg.svd(delta, compute_uv=False)
    test = np.random.default_rng(0).standard_normal((delta.shape[1], SKETCH), dtype=np.float32)
    basis, _ = np.linalg.qr(delta @ test)
    basis, _ = np.linalg.qr(delta @ (delta.T @ basis))
    return np.linalg.svd(basis.T @ delta, compute_uv=False)
