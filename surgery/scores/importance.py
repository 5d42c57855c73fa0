"""ConceptPrune's importance: how much a weight carries with the concept, and how much without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from surgery.edits.scores import Scores, Wanted, sample
from surgery.model import Model
from surgery.numerics.pruned import importance
from surgery.scores.base import facts_of
from surgery.scores.inputs import Inputs
from surgery.scores.trajectory import moments
from surgery.stage import Stage, unwatched

Array = NDArray[np.float32]
BATCH = 16
"""Pictures that are painted at a time."""


@dataclass(frozen=True, slots=True)
class Importance:
    """|W| times the size of its inputs, in each of the first steps of both sides of every pair.

    Source: Chavhan et al. 2025, arXiv 2405.19237; importance as in Sun et al. 2024, 2306.11695.
    """

    about: ClassVar[str] = "how much a weight carries with the concept, and how much without"
    source: ClassVar[str] = "Chavhan et al. 2025, arXiv 2405.19237"

    def score(self, model: Model, wanted: Wanted, stage: Stage = unwatched) -> Scores:
        """See `surgery.numerics.pruned.importance` for what the values mean."""
        sides = [[pair[side] for pair in wanted.pairs for _ in wanted.seeds] for side in (0, 1)]
        with stage("importance", 2 * len(sides[0]) * _first(wanted)) as advance:
            own, plain = (_inputs(model, wanted, side, advance) for side in sides)
        values, samples = {}, {}
        for site in wanted.sites:
            weight = _weight(model, site)
            with_it, without = (_by_step(one, site, wanted) for one in (own, plain))
            values[site] = importance(weight, with_it, without)
            samples[site] = sample(weight)
        norms = {site: plain.whole(site) for site in wanted.sites}
        return Scores("conceptprune", values, {}, norms, samples, facts_of(model, wanted))


def _inputs(
    model: Model, wanted: Wanted, prompts: Sequence[str], advance: Callable[[int], None]
) -> Inputs:
    """What flows while the prompts are painted, each with every seed."""
    found = Inputs(model, wanted.sites)
    seeds = list(wanted.seeds) * len(wanted.pairs)
    for begin in range(0, len(prompts), BATCH):
        some = slice(begin, begin + BATCH)
        walk = moments(
            model,
            model.encode(prompts[some]),
            seeds[some],
            steps=wanted.steps,
            guidance=wanted.guidance,
            last=_first(wanted),
            hooks=found.hooks(),
        )
        for moment in walk:
            found.step = moment.number
            advance(len(seeds[some]))
    return found


def _by_step(found: Inputs, site: str, wanted: Wanted) -> Array:
    return np.stack([found.sizes(step, site) for step in range(_first(wanted))])


def _first(wanted: Wanted) -> int:
    return min(int(wanted.setting("first")), wanted.steps)


def _weight(model: Model, site: str) -> Array:
    weight = model.owner(site).get_parameter("weight")
    return weight.detach().float().cpu().numpy()
