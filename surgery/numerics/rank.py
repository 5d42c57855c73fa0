"""Numerical rank of the difference of two stored matrices. Arrays in, a number out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SKETCH = 256
"""Widest sketch; a change of higher rank than about this is no small edit and has no figure."""

_MANTISSA_BITS = {"F64": 52, "F32": 23, "F16": 10, "BF16": 7, "F8_E4M3": 3, "F8_E5M2": 2}
_SPARE = 16


def numerical_rank(delta: NDArray[np.float32], weight_rms: float, dtype: str) -> int | None:
    """How many singular values of `delta` stand above what rounding to `dtype` alone would leave.

    A low-rank change that was rounded to its stored type has full rank in the strict sense.
    Rounding adds noise of standard deviation about ulp / sqrt(12) to each entry, and a noise
    matrix has no singular value above about std * (sqrt(rows) + sqrt(columns)).

    Args:
        delta: (out, in), the difference.
        weight_rms: root mean square of the weights it belongs to.
        dtype: stored type of the weights.

    Returns:
        The rank, or None where it is above about SKETCH and below the full one is not known.

    Source: Davidson and Szarek (2001), Theorem 2.13 (norm of a Gaussian matrix); Halko, Martinsson
    and Tropp (2011), Algorithm 4.1 (sketch).
    """
    rows, columns = delta.shape
    values = _singular_values(delta)
    if not values.size or values[0] == 0:
        return 0
    ulp = weight_rms * 2.0 ** -_MANTISSA_BITS.get(dtype, 23)
    noise = ulp / np.sqrt(12) * (np.sqrt(rows) + np.sqrt(columns))
    floor = float(values[0]) * max(rows, columns) * float(np.finfo(np.float32).eps)
    rank = int(np.count_nonzero(values > max(noise, floor)))
    known = len(values) == min(rows, columns) or rank <= SKETCH - _SPARE
    return rank if known else None


def _singular_values(delta: NDArray[np.float32]) -> NDArray[np.float32]:
    """All singular values of a small matrix, else the leading ones from a seeded random sketch."""
    if min(delta.shape) <= 2 * SKETCH:
        return np.linalg.svd(delta, compute_uv=False)
    test = np.random.default_rng(0).standard_normal((delta.shape[1], SKETCH), dtype=np.float32)
    basis, _ = np.linalg.qr(delta @ test)
    basis, _ = np.linalg.qr(delta @ (delta.T @ basis))
    return np.linalg.svd(basis.T @ delta, compute_uv=False)
