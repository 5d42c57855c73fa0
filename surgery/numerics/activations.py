"""What stands between the two maps of a transformer's MLP, in single precision and in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]

# A power of two: a number times it, its floor and the rest are exact in single precision.
_STEPS = 4096
_REACH = 6 * _STEPS
_PIECE = 1 << 17


def quick_gelu(values: Single) -> None:
    """Replace each x by x / (1 + exp(-1.702 x)).

    Source: Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2.
    """
    with np.errstate(over="ignore"):
        for piece in _pieces(values):
            shares = piece * np.float32(-1.702)
            np.exp(shares, out=shares)
            shares += np.float32(1)
            piece /= shares


def gelu(values: Single) -> None:
    """Replace each x by x Phi(x), Phi being the normal distribution function; within 1e-8 x max|x|.

    Source: Hendrycks and Gimpel 2016, arXiv 1606.08415, equation 1.
    """
    starts, slopes = _table()
    for piece in _pieces(values):
        scaled = piece * np.float32(_STEPS)
        whole = np.floor(scaled)
        np.clip(whole, -_REACH - 1, _REACH, out=whole)
        scaled -= whole
        index = whole.astype(np.intp)
        index += _REACH + 1
        slopes.take(index, out=whole, mode="clip")
        starts.take(index, out=piece, mode="clip")
        whole *= scaled
        piece += whole


ACTIVATIONS: Mapping[str, Callable[[Single], None]] = {"quick_gelu": quick_gelu, "gelu": gelu}


def _pieces(values: Single) -> list[Single]:
    """The same numbers in pieces that stay in the processor's cache."""
    flat = values.reshape(-1)
    return [flat[start : start + _PIECE] for start in range(0, flat.size, _PIECE)]


@cache
def _table() -> tuple[Single, Single]:
    """x Phi(x) at every step of [-6, 6] and the rise to the next; beyond it goes on as 0 and as x.

    Between two steps h apart a line is off by at most h^2 max|f''| / 8 = 6e-9.
    """
    points = [step / _STEPS for step in range(-_REACH, _REACH + 1)]
    curve = np.array([0.5 * x * (1 + math.erf(x / math.sqrt(2))) for x in points])
    starts = np.concatenate([[0.0], curve])
    slopes = np.concatenate([[0.0], np.diff(curve), [1 / _STEPS]])
    return starts.astype(np.float32), slopes.astype(np.float32)
