"""Neurons: which rows of keys and values, or of a feed-forward, tell a concept from its absence.

A row is told by its z over samples with the concept and without. What a key or value gives depends
on the prompt alone, so there a sample is one prompt and nothing is painted; what a feed-forward
gives is averaged over the places and steps of one picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from surgery.edits.scores import Fact, Scores, Wanted, sample
from surgery.errors import UsageError
from surgery.model import Model
from surgery.numerics.neurons import p_values, q_values, z_values
from surgery.numerics.separation import separation
from surgery.scores.base import facts_of
from surgery.scores.outputs import Outputs
from surgery.scores.trajectory import moments
from surgery.stage import Advance, Stage, unwatched

Matrix = NDArray[np.float64]
Sides = tuple[Matrix, Matrix]

OF_TEXT = ("cross_attn.k[", "cross_attn.v[")
LEAST = 4
"""Samples of each kind that can be halved and still have a spread."""

CHOSEN = 10
"""Rows of a site by which unseen prompts are told apart."""

LEVEL = 0.05
"""The rate of false discoveries at which rows are counted."""

BATCH = 16


@dataclass(frozen=True, slots=True)
class Neurons:
    """The two-sample z of every row, at one place of every prompt.

    The setting `place` says which: `final`, the last place of the padding, as published; or `end`,
    the end token. Told besides, for each site: how many rows are discoveries among all that were
    tested, by Benjamini and Hochberg; and how well its strongest rows, chosen on every other
    prompt, tell the others apart.

    Source: Basu et al. 2024, arXiv 2405.01008, section 6.
    """

    about: ClassVar[str] = "which rows give something else with the concept than without"
    source: ClassVar[str] = "Basu et al. 2024, arXiv 2405.01008"

    def score(self, model: Model, wanted: Wanted, stage: Stage = unwatched) -> Scores:
        """Positive where a row gives more with the concept, negative where it gives less.

        Raises:
            UsageError: fewer samples than can be told apart.
        """
        found: dict[str, Sides] = {}
        norms: dict[str, Matrix] = {}
        if of_text := [site for site in wanted.sites if site.startswith(OF_TEXT)]:
            found, norms = _of_text(model, wanted, of_text)
        if rest := [site for site in wanted.sites if site not in of_text]:
            found |= _painted(model, wanted, rest, stage)
        sides = {site: found[site] for site in wanted.sites}
        _check(sides)
        values = {site: z_values(*pair) for site, pair in sides.items()}
        samples = {site: sample(_weight(model, site)) for site in sides}
        facts = {**facts_of(model, wanted), **told(sides, values)}
        return Scores("neurons", values, {}, norms, samples, facts)


def told(sides: Mapping[str, Sides], values: Mapping[str, Matrix]) -> dict[str, Fact]:
    """Per site: discoveries, and how well unseen samples are told apart by the strongest rows."""
    q = q_values(p_values(np.concatenate([*values.values()])))
    facts: dict[str, Fact] = {}
    first = 0
    for site, (own, plain) in sides.items():
        some = slice(first, first := first + len(values[site]))
        unseen = separation(own, plain, CHOSEN)
        facts[f"discoveries {site}"] = int(np.count_nonzero(q[some] <= LEVEL))
        facts[f"held-out auc {site}"] = unseen.auc
        facts[f"held-out accuracy {site}"] = unseen.balanced
    return facts


def found_apart(scores: Scores) -> tuple[str, ...]:
    """What the facts of such scores say, in a sentence; nothing of scores made otherwise."""
    lead = "held-out auc "
    apart = {key.removeprefix(lead): float(v) for key, v in scores.facts.items() if lead in key}
    if not apart:
        return ()
    found = sum(int(scores.facts[f"discoveries {site}"]) for site in apart)
    total = sum(len(scores.of(site)) for site in apart)
    best = max(apart, key=apart.__getitem__)
    return (
        f"{found:,} of {total:,} rows differ, at a false discovery rate of {LEVEL:.0%}",
        f"{CHOSEN} rows of a weight, chosen on half of the prompts, tell the others apart with an "
        f"AUC of {np.median([*apart.values()]):.2f} (median), {apart[best]:.2f} at {best}",
    )


def _of_text(
    model: Model, wanted: Wanted, sites: Sequence[str]
) -> tuple[dict[str, Sides], dict[str, Matrix]]:
    """What keys and values give at the place, and the sizes of their inputs without the concept."""
    places = str(wanted.setting("place"))
    own, plain = (_states(model, [pair[side] for pair in wanted.pairs], places) for side in (0, 1))
    found = {}
    for site in sites:
        weight = _weight(model, site).astype(np.float64)
        found[site] = (own @ weight.T, plain @ weight.T)
    size: Matrix = np.sqrt(np.mean(plain**2, axis=0))
    return found, dict.fromkeys(sites, size)


def _states(model: Model, prompts: Sequence[str], place: str) -> Matrix:
    """What cross-attention reads at the place of each prompt, (n, in)."""
    tokens = model.tokens()
    found = []
    for first in range(0, len(prompts), BATCH):
        some = prompts[first : first + BATCH]
        states = model.context(model.encode(some)).float().cpu().numpy().astype(np.float64)
        for row, prompt in enumerate(some):
            found.append(states[row, -1 if place == "final" else tokens.eos_position(prompt)])
    return np.stack(found)


def _painted(model: Model, wanted: Wanted, sites: Sequence[str], stage: Stage) -> dict[str, Sides]:
    """What other weights give while both sides of every pair are painted."""
    with stage("neurons", 2 * len(wanted.pairs) * len(wanted.seeds) * wanted.steps) as advance:
        own, plain = (_side(model, wanted, sites, side, advance) for side in (0, 1))
    return {site: (own[site], plain[site]) for site in sites}


def _side(
    model: Model, wanted: Wanted, sites: Sequence[str], side: int, advance: Advance
) -> dict[str, Matrix]:
    """The means of every picture of one side, each prompt with every seed."""
    prompts = [pair[side] for pair in wanted.pairs for _ in wanted.seeds]
    seeds = list(wanted.seeds) * len(wanted.pairs)
    batches: list[Outputs] = []
    for first in range(0, len(prompts), BATCH):
        some = slice(first, first + BATCH)
        batches.append(Outputs(model, sites))
        walk = moments(
            model,
            model.encode(prompts[some]),
            seeds[some],
            steps=wanted.steps,
            guidance=wanted.guidance,
            hooks=batches[-1].hooks(),
        )
        for _ in walk:
            advance(len(seeds[some]))
    return {site: np.concatenate([one.means(site) for one in batches]) for site in sites}


def _check(sides: Mapping[str, Sides]) -> None:
    least = min(len(own) for own, _ in sides.values())
    if least < LEAST:
        raise UsageError(
            f"{least} samples are too few to tell rows apart",
            hint=f"give at least {LEAST} prompts, or more seeds",
        )


def _weight(model: Model, site: str) -> NDArray[np.float32]:
    weight: NDArray[np.float32] = (
        model.owner(site).get_parameter("weight").detach().float().cpu().numpy()
    )
    return weight
