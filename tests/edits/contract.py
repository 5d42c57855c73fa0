"""One case per edit method, for the checks that every method passes; a new method adds a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from surgery.edits import EDITS
from surgery.edits.base import Context, Edit
from surgery.edits.component_removal import ComponentRemoval
from surgery.edits.conceptprune import ConceptPrune
from surgery.edits.neuron_dropout import NeuronDropout
from surgery.edits.ridge import RidgeEdit
from surgery.edits.scores import Scores
from surgery.layout import Layout, Site

from .papers import cure_objective, held_objective, rece_objective

WIDTH, OUT = 16, 12
Changes = Mapping[Site, torch.Tensor]
Objective = Callable[[Edit, Changes, Mapping[Site, np.ndarray], Context], torch.Tensor]


@dataclass(frozen=True)
class Case:
    """Settings of a method as a recipe gives them, and what its docstring says it minimises.

    Args:
        targeted: whether it moves keys to their targets, rather than anywhere else.
        scores: who makes the scores that it is solved on, '' for an edit that is solved on states.
    """

    fields: Mapping[str, object]
    objective: Objective
    targeted: bool = True
    scores: str = ""

    def edit(self, method: str, **changes: object) -> Edit:
        return EDITS[method].model_validate({**self.fields, **changes})

    def context(self) -> Context:
        """States, and scores where the edit is solved on those."""
        return replace(context(), scores=scores(self.scores)) if self.scores else context()


def layout() -> Layout:
    """A text tower's first layer and two cross-attentions, with names of no real model."""
    kinds = ["token_embedding", "position_embedding", "norm1.weight", "norm1.bias"]
    maps = [f"self_attn.{part}" for part in ("q", "k", "v", "out")]
    kinds += [f"{name}{tail}" for name in maps for tail in ("", ".bias")]
    sites = [Site(f"text.{kind}", 0, f"t/{kind}") for kind in kinds]
    sites += [Site(f"cross_attn.{part}", i, f"u/{i}/{part}") for part in "kv" for i in range(2)]
    sites += [Site(f"ff.{part}", i, f"u/ff/{i}/{part}") for part in ("in", "out") for i in range(2)]
    sites.append(Site("pooled.in", 0, "u/pooled"))
    prefixes = {"denoiser": "u/", "text": "t/"}
    return Layout("some", "some", "some", "", tuple(sites), prefixes, {}, {})


def context(n: int = 6, m: int = 9) -> Context:
    draw = np.random.default_rng(5)
    common = draw.standard_normal(WIDTH)
    return Context(
        keys=frozen(common + draw.standard_normal((n, WIDTH))),
        targets=frozen(common + draw.standard_normal((n, WIDTH))),
        preserve=frozen(common + draw.standard_normal((m, WIDTH))),
        key_labels=("van gogh",) * n,
        preserve_labels=("monet",) * m,
        key_weights=frozen(draw.uniform(0.5, 2, n)),
        preserve_weights=frozen(draw.uniform(0.5, 2, m)),
    )


def scores(method: str) -> Scores:
    """A number for every weight, some below zero, in whole sixteenths as places in a row are."""
    draw = np.random.default_rng(8)
    sites = [str(site) for site in layout().sites]
    values = {
        site: frozen(draw.integers(-WIDTH, WIDTH + 1, (OUT, WIDTH)) / WIDTH) for site in sites
    }
    norms = {site: frozen(draw.uniform(0.5, 2, WIDTH)) for site in sites}
    return Scores(method, values, norms=norms)


def shuffled(given: Context) -> Context:
    draw = np.random.default_rng(6)
    keys, held = draw.permutation(len(given.keys)), draw.permutation(len(given.preserve))
    return replace(
        given,
        keys=given.keys[keys],
        targets=given.targets[keys],
        key_weights=given.key_weights[keys],
        key_labels=tuple(given.key_labels[i] for i in keys),
        preserve=given.preserve[held],
        preserve_weights=given.preserve_weights[held],
        preserve_labels=tuple(given.preserve_labels[i] for i in held),
    )


def weights(edit: Edit) -> dict[Site, np.ndarray]:
    draw = np.random.default_rng(7)
    return {site: frozen(draw.standard_normal((OUT, WIDTH))) for site in edit.sites(layout())}


def frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def ridge_objective(
    edit: Edit, changes: Changes, before: Mapping[Site, np.ndarray], given: Context
) -> torch.Tensor:
    assert isinstance(edit, RidgeEdit)
    keys, targets, held, counts, firm = (
        torch.tensor(array)
        for array in (
            given.keys,
            given.keys + edit.strength * (given.targets - given.keys),
            given.preserve,
            given.key_weights,
            given.preserve_weights,
        )
    )
    ridge = edit.ridge * (keys**2).sum(1).mean()
    total = torch.zeros((), dtype=torch.float64)
    for site, change in changes.items():
        weight = torch.tensor(before[site])
        missed = keys @ (weight + change).T - targets @ weight.T
        moved = held @ change.T
        total = total + (counts[:, None] * missed**2).sum() + ridge * (change**2).sum()
        share = edit.preserve_scale * counts.sum() / firm.sum()
        total = total + share * (firm[:, None] * moved**2).sum()
    return total


def pruned_objective(
    edit: Edit, changes: Changes, before: Mapping[Site, np.ndarray], given: Context
) -> torch.Tensor:
    """Half a square for each weight: to zero, by its strength, where it is masked, else to stay."""
    assert isinstance(edit, ConceptPrune)
    assert given.scores is not None
    total = torch.zeros((), dtype=torch.float64)
    for site, change in changes.items():
        masked = torch.tensor(given.scores.of(str(site)) > 1 - np.ceil(edit.ratio * WIDTH) / WIDTH)
        weight = torch.tensor(before[site])
        total = total + (torch.where(masked, change + edit.strength * weight, change) ** 2).sum()
    return total


def aligned_objective(
    edit: Edit, changes: Changes, before: Mapping[Site, np.ndarray], given: Context
) -> torch.Tensor:
    """For each head: nothing left along the directions, and no change but by way of them.

    The directions are found here by another road, as eigenvectors of M^-1 C.
    """
    assert isinstance(edit, NeuronDropout)
    assert edit.heads is not None
    size = OUT // edit.heads
    counts = given.key_weights[:, None]
    total = torch.zeros((), dtype=torch.float64)
    for site, change in changes.items():
        for head in range(edit.heads):
            rows = slice(head * size, (head + 1) * size)
            weight = before[site][rows]
            gaps, plain = (given.keys - given.targets) @ weight.T, given.targets @ weight.T
            moment = (counts * plain).T @ plain
            held = moment / np.trace(moment) * size + edit.ridge * np.eye(size)
            values, vectors = np.linalg.eig(np.linalg.solve(held, (counts * gaps).T @ gaps))
            read = np.real(vectors[:, np.argsort(-np.real(values))[: edit.directions]])
            through = held @ read @ np.linalg.inv(read.T @ held @ read) @ read.T
            left = torch.tensor(read.T) @ (change[rows] + edit.strength * torch.tensor(weight))
            aside = change[rows] - torch.tensor(through) @ change[rows]
            total = total + (left**2).sum() + (aside**2).sum()
    return total


def removed_objective(
    edit: Edit, changes: Changes, before: Mapping[Site, np.ndarray], given: Context
) -> torch.Tensor:
    """The same, where a mask is what the largest scores of all are on."""
    assert isinstance(edit, ComponentRemoval)
    assert given.scores is not None
    # Whole sixteenths; what lies earlier wins among equals.
    every = np.concatenate([given.scores.of(str(site)).ravel() for site in before])
    first = np.argsort(-every, kind="stable")[: int(np.ceil(edit.ratio * every.size))]
    taken = np.zeros(every.size, bool)
    taken[first[every[first] > 0]] = True
    total = torch.zeros((), dtype=torch.float64)
    for number, (site, weight) in enumerate(before.items()):
        start = sum(one.size for one in list(before.values())[:number])
        mask = torch.tensor(taken[start : start + weight.size].reshape(weight.shape))
        if site in changes:
            away = changes[site] + edit.strength * torch.tensor(weight)
            total = total + (torch.where(mask, away, changes[site]) ** 2).sum()
    return total


BARE = {"concepts": [{"erase": "van gogh", "target": "painting"}]}
VAN_GOGH = {**BARE, "preserve_scale": 0.7}
# Some of the directions of what is held are below it, most are not.
PARTLY = {**BARE, "threshold": 0.03}

CASES: dict[str, Case] = {
    "quickfix": Case(VAN_GOGH, ridge_objective),
    "locoedit": Case({**VAN_GOGH, "where": "cross_attn.{k,v}[1]"}, ridge_objective),
    "uce": Case(VAN_GOGH, ridge_objective),
    "time": Case(VAN_GOGH, ridge_objective),
    "pooled": Case(VAN_GOGH, ridge_objective),
    "rece": Case({**VAN_GOGH, "rounds": 2}, rece_objective),
    "speed": Case(PARTLY, held_objective),
    "double_projection": Case(PARTLY, held_objective),
    "cure": Case(BARE, cure_objective, targeted=False),
    "neuron_dropout": Case(
        {**BARE, "where": "cross_attn.{k,v}", "heads": 3, "directions": 2}, aligned_objective
    ),
    "conceptprune": Case(
        {**BARE, "ratio": 0.1}, pruned_objective, targeted=False, scores="conceptprune"
    ),
    "component_removal": Case(
        {**BARE, "ratio": 0.1}, removed_objective, targeted=False, scores="attribution"
    ),
}
