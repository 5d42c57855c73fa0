"""RECE: a UCE edit, and then against the embeddings that would bring the concept back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from surgery.edits.base import Context, Matrix
from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.delta import Delta, Mapped
from surgery.edits.ridge import Positions, Ridge
from surgery.numerics.adversarial import Factors, composed, gram_of, restoring
from surgery.numerics.closed_form import shared_map

if TYPE_CHECKING:
    from surgery.layout import Site


class Rece(CrossAttentionEdit):
    """Make concepts read as their targets, and so does what would bring them back, round by round.

    The ridge edit of every key and value matrix, W' = W P. Each round then finds, for every key k,
    the embedding c that best gives behind all edited weights what k gave behind the old ones: the
    minimiser of

        sum_W |W' c - W k|^2 + a |c|^2,

    a = adversarial_ridge mean_u sum_W |W u|^2 over unit u; and makes the same ridge edit of W'
    with c in place of k: it minimises

        sum_i s_i |W'' c_i - W' t_i'|^2 + f sum_j q_j |(W'' - W') p_j|^2 + r |W'' - W'|^2,

    t' = c + strength (t - c), r = ridge mean |c|^2. The weights are read once, whatever the rounds:
    all that enters of them is sum_W W'W.

    Source: Gong et al. 2024, RECE, arXiv 2407.12383; its ridges of 0.1 (0.001 for styles) are of
    the weights' own units, its target is a blank, and it picks the round by a detector's score.
    """

    method: Literal["rece"] = "rece"
    positions: Positions = "eos"
    ridge: Ridge = 0.001
    rounds: Annotated[
        int, Field(ge=0, le=20, strict=True, description="How often it is attacked and mended.")
    ] = 1
    adversarial_ridge: Annotated[
        float,
        Field(
            gt=0,
            strict=True,
            description="What the length of an attacking embedding counts, against its mean "
            "output; less lets it go further.",
        ),
    ] = 0.1

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """The one map that all of them get: that of the edit times that of each round."""
        found: Factors = shared_map(self.targets(context), self.keys(context))
        # What was not edited needs no attack to come back.
        if self.rounds and found[0].any():
            gram = gram_of(weights.values())
            for _ in range(self.rounds):
                found = composed(found, self._mended(context, gram, found))
        return dict.fromkeys(weights, Mapped(*found))

    def _mended(self, context: Context, gram: Matrix, edited: Factors) -> Factors:
        """The map of one round, to be met before the edit so far."""
        attack = restoring(context.keys, gram, edited, self.adversarial_ridge)
        goals = attack + self.strength * (context.targets - attack)
        ridge = self.ridge * float(np.mean(np.sum(attack**2, axis=1)))
        return shared_map(goals, replace(self.keys(context), edited=attack, ridge=ridge))
