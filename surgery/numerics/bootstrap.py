"""Bootstrap of figures over crossed factors: how much a mean would move with other draws of each.

A figure over prompts, seeds and draws of noise is not one over independent runs: runs of one prompt
resemble each other. Each factor is therefore drawn again by itself, and a run counts as often as
its prompt, its seed and its draw were drawn together.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def crossed_weights(shape: Sequence[int], rounds: int, seed: int) -> Matrix:
    """Weights of the runs in each round of the pigeonhole bootstrap, (rounds, prod(shape)).

    The interval of a mean is `interval(crossed_weights(shape, rounds, seed) @ values.ravel())`.
    It errs on the wide side: what belongs to single runs alone counts up to three times with two
    factors. A factor of one level is taken as fixed, and none of the spread comes from it.

    Args:
        shape: levels of each factor, such as (prompts, seeds, draws); every combination was run.
        rounds: how often everything is drawn again.
        seed: of the draws; equal seeds give equal weights.

    Returns:
        Rows that sum to 1, the runs in C order: the last factor runs fastest.

    Source: Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1(2), section 3.
    """
    chance = np.random.default_rng(seed)
    weights = np.ones((rounds, 1))
    for levels in shape:
        shares = np.ones((rounds, 1))
        if levels > 1:
            drawn = chance.multinomial(levels, np.full(levels, 1 / levels), size=rounds)
            shares = drawn / levels
        weights = (weights[:, :, None] * shares[:, None, :]).reshape(rounds, -1)
    assert weights.shape == (rounds, prod(shape))
    return weights


def interval(values: NDArray[np.floating], level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of a bootstrapped figure.

    Args:
        values: (rounds,), the figure in each round.
        level: the share of rounds inside it.
    """
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
