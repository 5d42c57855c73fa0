"""How far first-order scores can be trusted: foretold against true changes of J."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surgery.edits.scores import Scores, Wanted
from surgery.model import Model
from surgery.numerics.masks import whole
from surgery.scores.attribution import BATCH
from surgery.scores.objectives import OBJECTIVES, Point
from surgery.stage import Stage, unwatched

Places = NDArray[np.int64]

CERTAIN = 1 - 1e-12
"""No correlation is taken to be larger, so that its z is a number."""
RATIO = 0.001
"""Of all scored weights, how many go at a time."""


@dataclass(frozen=True, slots=True)
class Linearity:
    """What J changed by in random ablations.

    Args:
        foretold: minus the sum of the scores of what was taken out, for each ablation.
        found: by how much J changed.
    """

    foretold: tuple[float, ...]
    found: tuple[float, ...]

    @property
    def pearson(self) -> float:
        """Pearson's r; 0 where either does not vary."""
        if min(np.std(self.foretold), np.std(self.found)) == 0:
            return 0.0
        return float(np.corrcoef(self.foretold, self.found)[0, 1])

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Pearson's r, by Fisher's z; of four ablations or more."""
        z = math.atanh(max(-CERTAIN, min(CERTAIN, self.pearson)))
        error = 1.96 / math.sqrt(len(self.found) - 3)
        return math.tanh(z - error), math.tanh(z + error)


def linearity(
    model: Model,
    wanted: Wanted,
    scores: Scores,
    *,
    ablations: int = 100,
    ratio: float = RATIO,
    seed: int = 0,
    stage: Stage = unwatched,
) -> Linearity:
    """Take out weights at random, again and again, and see what J does.

    Args:
        wanted: what was scored; x_t and answers are those of the whole model.
        scores: of just that.
        ratio: of all scored weights, how many go each time.

    Source: Nguyen et al. 2025, arXiv 2412.02542, figure 2.
    """
    seen = points(model, wanted)
    whole_value = value(model, seen)
    weights = {site: model.owner(site).get_parameter("weight") for site in wanted.sites}
    chance = np.random.default_rng(seed)
    foretold, found = [], []
    with stage("linearity", ablations) as advance:
        for _ in range(ablations):
            mask = _random(weights, ratio, chance)
            foretold.append(-sum(float(scores.of(s).ravel()[at].sum()) for s, at in mask.items()))
            with without(weights, mask):
                found.append(value(model, seen) - whole_value)
            advance(1)
    return Linearity(tuple(foretold), tuple(found))


def points(model: Model, wanted: Wanted, batch: int = BATCH) -> list[Point]:
    """All points that J is a mean over."""
    objective = OBJECTIVES[str(wanted.setting("goal"))](model, wanted, batch, ())
    seen: list[Point] = []

    def keep(point: Point) -> Tensor:
        seen.append(point)
        with torch.no_grad():
            return model.predict(point.latents, point.time, point.told)

    for number in range(wanted.steps):
        objective.step(number, keep)
    return seen


@torch.no_grad()
def value(model: Model, seen: Sequence[Point]) -> float:
    """J, with the weights as they are now."""
    total = sum(
        float(point.share(model.predict(point.latents, point.time, point.told))) for point in seen
    )
    return total / sum(len(point.latents) for point in seen)


@contextmanager
def without(weights: Mapping[str, nn.Parameter], mask: Mapping[str, Places]) -> Iterator[None]:
    """Set weights to zero in the block; after it they are what they were, bit for bit.

    Args:
        weights: site -> its weight.
        mask: site -> (k,), places in it laid out row by row.
    """
    kept: dict[str, tuple[Tensor, Tensor]] = {}
    try:
        for site, places in mask.items():
            flat, at = weights[site].data.view(-1), torch.from_numpy(places)
            kept[site] = at, flat[at].clone()
            flat[at] = 0
        yield
    finally:
        for site, (at, values) in kept.items():
            weights[site].data.view(-1)[at] = values


def _random(
    weights: Mapping[str, nn.Parameter], ratio: float, chance: np.random.Generator
) -> dict[str, Places]:
    sizes = [one.numel() for one in weights.values()]
    ends = np.cumsum(sizes)
    drawn = chance.choice(int(ends[-1]), whole(ratio, int(ends[-1])), replace=False, shuffle=False)
    drawn.sort()
    parts = np.split(drawn, np.searchsorted(drawn, ends[:-1]))
    first = ends - sizes
    return {
        site: part - start for site, part, start in zip(weights, parts, first.tolist(), strict=True)
    }
