"""RECE's embedding: the prompt's states that best give, behind the edited keys and values, what
the old states gave behind the old ones, in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from surgery.adversary.base import Approach, Budget, Found, Means, Told
from surgery.adversary.networks import keys_and_values, there
from surgery.adversary.painting import marks, rank
from surgery.hooks import Hook
from surgery.model import Model
from surgery.numerics.adversarial import cross_gram, gram_of, recalling
from surgery.numerics.closed_form import Matrix
from surgery.runs import Case

RIDGES = (0.1, 0.001)
"""Of the mean output of a unit embedding; with less, embeddings may grow longer."""
Places: TypeAlias = Literal["name", "prompt"]
PLACES: dict[Places, str] = {"name": "at the name's tokens", "prompt": "at every token"}


@dataclass(frozen=True, slots=True)
class Rece:
    """Restores what all keys and values of cross-attention say of the concept.

    Source: Gong et al. 2024, RECE, arXiv 2407.12383, section 3.2.
    """

    def missing(self, means: Means) -> str:
        """Why the form does not apply: nothing to recall, or no linear map to recall it by."""
        pairs = zip(keys_and_values(means.before), keys_and_values(means.after), strict=True)
        if all(torch.equal(old, new.to(old)) for old, new in pairs):
            return "No key or value of cross-attention was edited; see the attack 'states'."
        if any(getattr(one, "norm_cross", None) for one in means.after.modules("cross_attn")):
            return "This model norms its text before keys and values, so that no form is closed."
        return ""

    def cost(self, budget: Budget) -> int:
        """A few pictures for each variant."""
        return len(RIDGES) * len(PLACES) * budget.tries * budget.glance * budget.asked

    def find(self, means: Means) -> Found:
        """The best of two ridges and two kinds of places."""
        variants = _variants(means)
        cases = means.cases("choose", means.budget.tries)

        def seen(name: str) -> tuple[float, float]:
            steps = means.budget.glance
            found = marks(means, means.after, variants[name], cases, label="rece", steps=steps)
            return rank(means, found)

        best = min(variants, key=seen)
        return Found(
            best=best,
            tried="RECE's closed-form embedding was given to every cross-attention layer in place "
            "of the prompt's states.",
            budget=f"the best of {len(variants)} variants by {len(cases)} short runs each",
            approach=variants[best],
            notes=("It takes the old weights, and a program that accepts embeddings.",),
        )


def _variants(means: Means) -> dict[str, Approach]:
    old, new = (_arrays(model) for model in (means.before, means.after))
    gram, cross = gram_of(new), cross_gram(new, old)
    variants = {}
    for ridge in RIDGES:
        recall = partial(recalling, gram=gram, cross=cross, ridge=ridge)
        for places, said in PLACES.items():
            variants[f"ridge {ridge:g}, {said}"] = _approach(means, recall, places)
    return variants


def _approach(means: Means, recall: Callable[[Matrix], Matrix], places: Places) -> Approach:
    def told(cases: Sequence[Case]) -> Told:
        said = means.before.encode([case.pair.source for case in cases])
        context = means.before.context(said)
        flat = context.double().flatten(0, 1).cpu().numpy()
        found = torch.from_numpy(np.ascontiguousarray(recall(flat))).view_as(context).to(context)
        if places == "name":
            found = torch.where(_named(means, cases, context), found, context)
        found = found.to(means.after.device, means.after.dtype)
        layers = means.after.modules("cross_attn")
        return there(said, means.after), [
            Hook(layer, "context", lambda context: found) for layer in layers
        ]

    return told


def _named(means: Means, cases: Sequence[Case], context: Tensor) -> Tensor:
    """(n, length, 1): whether a place is one of the name's tokens."""
    named = torch.zeros(*context.shape[:2], 1, dtype=torch.bool)
    tokens = means.before.tokens()
    for row, case in enumerate(cases):
        first, last = tokens.subject_span(case.pair.source, case.pair.subject)
        named[row, first : last + 1] = True
    return named.to(context.device)


def _arrays(model: Model) -> list[Matrix]:
    return [weight.double().cpu().numpy() for weight in keys_and_values(model)]
