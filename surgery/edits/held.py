"""What edits share that do not weigh what is held against what is edited, but keep clear of it.

The main directions of what is held are exempt from the edit: W' u = W u. How much a direction must
hold to be one of them is the threshold.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from surgery.edits.base import Context, Matrix
from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.ridge import Ridge
from surgery.errors import EditError
from surgery.numerics.closed_form import Keys
from surgery.numerics.null_space import axes, main

Threshold = Annotated[
    float,
    Field(
        gt=0,
        lt=1,
        strict=True,
        description="Directions with at least this share of what is held do not change.",
    ),
]


class HeldEdit(CrossAttentionEdit):
    """An edit of the null space of what is held.

    With Pi the projection on all that the exempt directions leave, it minimises

        sum_i s_i |W' k_i - W t_i'|^2 + r |W' - W|^2   over   W' - W = (W' - W) Pi,

    t' = k + strength (t - k), r = ridge mean |k|^2.
    """

    # Only its edit of the pooled path weighs what is held.
    preserve_scale: ClassVar[float] = 3.0  # type: ignore[misc]
    threshold: Threshold = 0.002
    ridge: Ridge = 0.001

    def exempt(self, context: Context) -> Matrix:
        """The rows whose outputs do not change, (r, in); any number, in any length."""
        return main(axes(context.preserve, context.preserve_weights), self.threshold)

    def _found_keys(self, context: Context) -> Keys:
        fixed = self.exempt(context)
        if np.linalg.matrix_rank(fixed) >= context.keys.shape[1]:
            raise EditError(
                f"what is held takes all {context.keys.shape[1]} directions of the states",
                hint="raise `threshold`, or hold less",
            )
        keys = super()._found_keys(context)
        ones = np.ones(len(fixed))
        return Keys(keys.edited, keys.weights, fixed, ones, keys.ridge, exact=True)
