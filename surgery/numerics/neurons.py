"""Which output channels tell a concept from its absence, by a test of each. Numpy only, no names.

A channel is one row of a weight; a sample is what it gives at one place of one prompt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Indices = NDArray[np.int64]

ROUNDING = 1e-9
"""Spread below this share of a channel's size is rounding, and no sign of a concept."""


def z_values(own: Matrix, plain: Matrix) -> Matrix:
    """How many standard errors each channel's mean is above that without the concept, (c,).

    z = (m1 - m2) / sqrt(s1^2 / n1 + s2^2 / n2), of two independent samples.

    Args:
        own: (n, c), with the concept; n >= 2.
        plain: (m, c), without it; m >= 2.

    Source: Basu et al. 2024, arXiv 2405.01008, section 6.
    """
    size = np.mean(own**2, axis=0) + np.mean(plain**2, axis=0)
    spread = own.var(axis=0, ddof=1) / len(own) + plain.var(axis=0, ddof=1) / len(plain)
    error = np.sqrt(spread + ROUNDING**2 * size)
    gap = own.mean(axis=0) - plain.mean(axis=0)
    z: Matrix = np.divide(gap, error, out=np.zeros_like(gap), where=error > 0)
    return z


def p_values(z: Matrix) -> Matrix:
    """How often chance alone gives as large a |z|, by the normal law; (c,)."""
    return np.array([math.erfc(abs(one) / math.sqrt(2)) for one in z.ravel()]).reshape(z.shape)


def q_values(p: Matrix) -> Matrix:
    """The least false discovery rate at which each test is among the discoveries, (c,).

    Source: Benjamini and Hochberg 1995, Controlling the False Discovery Rate.
    """
    order = np.argsort(p, kind="stable")
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    found = np.empty_like(raised)
    found[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return found


def strongest(scores: Matrix, count: int) -> Indices:
    """The channels with the largest |score|, the strongest first; of equal ones the first."""
    return np.argsort(-np.abs(scores), kind="stable")[:count].astype(np.int64)


def picked(
    scores: Sequence[Matrix], count: int, false_discovery: float | None = None
) -> tuple[Indices, ...]:
    """The strongest channels of several weights together, in each weight in their order.

    Args:
        scores: z-values of each weight, (c,).
        count: how many at most, over all weights.
        false_discovery: the share of them that chance may be expected to have put there; left
            out, it does not matter.
    """
    every = np.concatenate(scores)
    found = strongest(every, count)
    if false_discovery is not None:
        found = found[q_values(p_values(every))[found] <= false_discovery]
    chosen = np.zeros(len(every), dtype=bool)
    chosen[found] = True
    cuts = np.cumsum([len(one) for one in scores])[:-1]
    return tuple(np.flatnonzero(part).astype(np.int64) for part in np.split(chosen, cuts))
