"""Quickfix: rewrite the first text attention's output map, so that one subject reads as another.

The end token gathers what the prompt is about and carries a concept beside its last token; where a
name falls into several sub-words, its last token alone hardly carries it. Both are edited, and each
sub-word of the name, unless `positions` says otherwise (`last` is the paper's choice).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from surgery.edits.base import Context, Matrix, States
from surgery.edits.delta import Delta, LowRank, Mapped
from surgery.edits.ridge import RidgeEdit
from surgery.errors import EditError
from surgery.numerics.closed_form import shared_factors, shared_map

if TYPE_CHECKING:
    from surgery.layout import Layout, Site

SITE = "text.self_attn.out[0]"
READS = (
    "text.token_embedding[0], text.position_embedding[0], text.norm1.{weight,bias}[0], "
    "text.self_attn.{q,k,v}.{weight,bias}[0]"
)


class QuickFix(RidgeEdit):
    """Make one subject read as another, in the first layer of the text encoder.

    The ridge edit of the output map of the first text self-attention; k and t are its inputs.

    Source: Basu et al. 2024, Localizing and Editing Knowledge in Text-to-Image Generative Models,
    arXiv 2310.13730, eq. 8-9, without its doubled bias; preserve terms as in arXiv 2308.14761.
    """

    states: ClassVar[States] = "first_attention"
    method: Literal["quickfix"] = "quickfix"

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The first output map of the text tower."""
        return layout.select(SITE)

    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """All that comes before it: the embeddings, the first norm, queries, keys and values."""
        return layout.select(READS)

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """One shared pair of right factors; each weight multiplies the left one.

        More keys than the states are wide leave nothing to gain from factors: the map is whole.
        """
        targets, keys = self.targets(context), self.keys(context)
        if len(keys.edited) > keys.edited.shape[1]:
            return dict.fromkeys(weights, Mapped(*shared_map(targets, keys)))
        left, right = shared_factors(targets, keys)
        return {site: _change(weight, left, right) for site, weight in weights.items()}


def _change(weight: Matrix, left: Matrix, right: Matrix) -> LowRank:
    if weight.shape[1] != len(left):
        raise EditError(f"a weight of shape {weight.shape} cannot read states of width {len(left)}")
    return LowRank(up=weight.astype(np.float64) @ left, down=right)
