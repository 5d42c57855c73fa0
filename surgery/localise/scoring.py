"""From the measurements of single runs to the scores of places, with intervals. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.localise.journal import Measurement
from surgery.numerics.bootstrap import crossed_weights, interval
from surgery.probes.base import Arm
from surgery.report import Score, Share

Values = NDArray[np.float64]
ROUNDS, SEED = 2000, 0


Shape = tuple[int, int, int]
"""How many prompts, seeds and draws of noise were crossed; cases are in that order."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """What every case measured at the two anchors, in the order of the crossing."""

    source: tuple[Measurement, ...]
    target: tuple[Measurement, ...]


def score_of(
    arm: Arm, measured: Sequence[Measurement | None], anchors: Anchored, shape: Shape
) -> Score:
    """The score of one place, over the cases in which it was measured.

    The effect is a ratio of means: (source - place) / (source - target), all three over the same
    cases; its interval resamples prompts, seeds and draws, each on its own.

    Args:
        measured: one for each case, None where the place does not exist in a prompt.
    """
    there = np.array([one is not None for one in measured])
    own = _numbers([one.score if one else 0.0 for one in measured])
    source = _numbers([one.score for one in anchors.source])
    target = _numbers([one.score for one in anchors.target])
    seen = [one.shown for one in measured if one is not None]
    weights = crossed_weights(shape, ROUNDS, SEED) * there
    drawn = weights[weights.sum(1) > 0]
    low, high = _interval(_effects(drawn, own, source, target)) if there.sum() > 1 else (None, None)
    return Score(
        site=arm.site,
        mean=float(own[there].mean()),
        std=float(own[there].std(ddof=1)) if there.sum() > 1 else 0.0,
        count=int(there.sum()),
        effect=float(_effects(there[None].astype(float), own, source, target)[0]),
        low=low,
        high=high,
        shown=_share([one for one in seen if one is not None]),
        column=arm.column,
    )


def _effects(weights: Values, own: Values, source: Values, target: Values) -> Values:
    """(rounds,): the ratio of weighted means; 0 where source and target do not differ."""
    way = weights @ (source - target)
    return np.divide(weights @ (source - own), way, out=np.zeros_like(way), where=way != 0)


def _interval(effects: Values) -> tuple[float, float]:
    low, high = interval(effects)
    return float(low), float(high)


def _share(seen: Sequence[bool]) -> Share | None:
    return Share.of(sum(seen) / len(seen), len(seen)) if seen else None


def _numbers(values: Sequence[float]) -> Values:
    return np.array(values, dtype=np.float64)


def by_arm(
    arms: Sequence[Arm],
    found: Mapping[Arm, Sequence[Measurement | None]],
    anchors: Anchored,
    shape: Shape,
) -> tuple[Score, ...]:
    """The scores of all places that any case could measure."""
    return tuple(
        score_of(arm, found[arm], anchors, shape)
        for arm in arms
        if any(one is not None for one in found[arm])
    )
