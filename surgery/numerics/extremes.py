"""The largest and the smallest of many values, in a fixed order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def largest(values: Array, count: int) -> NDArray[np.int64]:
    """The places of the largest values that are above zero, the largest first; of equal ones the
    first.

    Args:
        values: any shape; places are those of the values laid out row by row.
    """
    flat = values.ravel()
    there = np.flatnonzero(flat > 0)
    if len(there) > count:
        least = np.partition(flat[there], len(there) - count)[len(there) - count]
        there = there[flat[there] >= least]
    return there[np.argsort(-flat[there], kind="stable")][:count]
