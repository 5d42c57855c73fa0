"""A product of two thin factors that has the same bits on every machine. No files and no names.

A library of linear algebra adds in an order of its own, so the last bits of its products differ
between machines. Here each factor is cut into two slices of whole numbers so short that every sum
of their products is a whole number below 2^53: exact, whatever the order.
Source: Ozaki, Ogita, Oishi, Rump 2012, Error-free transformations of matrix multiplication.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_EXACT_BITS = 53


def exact_product(up: NDArray[np.floating], down: NDArray[np.floating]) -> Matrix:
    """Return up @ down in float64, rounded in one fixed way.

    Of each row of `up` and each column of `down` about 44 bits below its largest entry count.

    Args:
        up: (out, r), finite.
        down: (r, in), finite.
    """
    rank = down.shape[0]
    if 0 in (*up.shape, *down.shape):
        return np.zeros((up.shape[0], down.shape[1]))
    bits = (_EXACT_BITS - (rank - 1).bit_length()) // 2
    rows, high, low = _slices(up.astype(np.float64), bits)
    columns, over, under = _slices(down.T.astype(np.float64), bits)
    small: Matrix = high @ under.T
    small += low @ over.T
    small *= 2.0**-bits
    small += high @ over.T
    small *= rows
    small *= columns.T
    return small


def _slices(vectors: Matrix, bits: int) -> tuple[Matrix, Matrix, Matrix]:
    """Return (unit, high, low): each row is unit * (high + low / 2^bits), whole numbers both."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    _, exponents = np.frexp(largest)
    unit = np.ldexp(1.0, exponents - bits)
    scaled = np.ldexp(vectors, bits - exponents)
    high = np.rint(scaled)
    low = np.rint((scaled - high) * 2.0**bits)
    return unit, high, low
