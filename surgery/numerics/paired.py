"""Figures over pairs of pictures, prompts times seeds, with intervals.

Pictures of one prompt resemble each other, and so do those of one seed. Where prompts and seeds are
crossed both are drawn again; where each prompt has seeds of its own, whole prompts are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from surgery.numerics.bootstrap import interval

Matrix = NDArray[np.float64]
Ends = tuple[float, float]

Z = 1.96
ROUNDS = 2000


def paired_weights(
    prompts: Sequence[Hashable], seeds: Sequence[Hashable], rounds: int = ROUNDS, seed: int = 0
) -> Matrix:
    """Weights of n pairs in each round of a bootstrap, (rounds, n); every row sums to 1.

    Args:
        prompts, seeds: n labels each; pairs with one label are drawn together.
        rounds: how often everything is drawn again.
        seed: of the draws; equal seeds give equal weights.

    Source: Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1(2), section 3.
    """
    chance = np.random.default_rng(seed)
    weights = np.ones((rounds, len(prompts)))
    for levels in _factors(_numbers(prompts), _numbers(seeds)):
        count = int(levels.max()) + 1
        drawn = chance.multinomial(count, np.full(count, 1 / count), size=rounds)
        weights *= drawn[:, levels]
    total = weights.sum(1, keepdims=True)
    even = np.full_like(weights, 1 / len(prompts))
    return np.where(total > 0, weights / np.where(total > 0, total, 1), even)


def _numbers(labels: Sequence[Hashable]) -> NDArray[np.intp]:
    places = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.array([places[label] for label in labels], dtype=np.intp)


def _factors(prompts: NDArray[np.intp], seeds: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """What is drawn again: the coarser one of two that are nested, else both."""
    pairs = len({*zip(prompts.tolist(), seeds.tolist(), strict=True)})
    many_prompts, many_seeds = int(prompts.max()) + 1, int(seeds.max()) + 1
    if many_prompts == 1 or many_seeds == 1:
        return [seeds if many_prompts == 1 else prompts]
    if pairs == many_seeds:
        return [prompts]
    return [seeds] if pairs == many_prompts else [prompts, seeds]


def mean_interval(values: Matrix, weights: Matrix) -> Ends:
    """The bootstrapped interval of a mean of n values."""
    return interval(weights @ values)


def ratio_interval(over: Matrix, under: Matrix, weights: Matrix) -> Ends:
    """The bootstrapped interval of a ratio of two sums; rounds without anything below are left out.

    Args:
        over, under: (n,), not negative.
    """
    below = weights @ under
    kept = below > 0
    if not kept.any():
        return 0.0, 1.0
    return interval((weights[kept] @ over) / below[kept])


def wilson(value: float, count: float) -> Ends:
    """The 95 % interval of a share `value` of `count` pictures (Wilson 1927)."""
    middle = (value + Z * Z / (2 * count)) / (1 + Z * Z / count)
    reach = math.sqrt(value * (1 - value) / count + Z * Z / (4 * count * count))
    half = Z * reach / (1 + Z * Z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(before: Sequence[bool], after: Sequence[bool]) -> Ends:
    """The 95 % interval of the change of a share over the same pictures, after less before.

    Unlike a bootstrap it is not empty where all pictures changed alike.

    Source: Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10.
    """
    count = len(before)
    both = sum(a and b for a, b in zip(after, before, strict=True))
    p, q = sum(after) / count, sum(before) / count
    (low_p, high_p), (low_q, high_q) = wilson(p, count), wilson(q, count)
    phi = _phi(both, sum(after) - both, sum(before) - both, count)
    down = _root(p - low_p, high_q - q, phi)
    up = _root(high_p - p, q - low_q, phi)
    return max(-1.0, p - q - down), min(1.0, p - q + up)


def _root(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(0.0, first**2 - 2 * phi * first * second + second**2))


def _phi(both: int, only_after: int, only_before: int, count: int) -> float:
    """The correlation of both answers, corrected for continuity where it is positive."""
    neither = count - both - only_after - only_before
    margins = (
        (both + only_after) * (only_before + neither) * (both + only_before)
        * (only_after + neither)
    )  # fmt: skip
    if margins == 0:
        return 0.0
    excess = both * neither - only_after * only_before
    return (max(excess - count / 2, 0.0) if excess > 0 else float(excess)) / math.sqrt(margins)
