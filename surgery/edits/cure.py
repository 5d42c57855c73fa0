"""CURE: take the directions of a concept out of what is read, less those it shares with others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from surgery.edits.base import Context, Matrix
from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.delta import Delta, Mapped
from surgery.edits.ridge import Positions
from surgery.numerics.null_space import Axes, axes, expanded, onto

if TYPE_CHECKING:
    from surgery.layout import Site


class Cure(CrossAttentionEdit):
    """Take out of every key and value matrix what only the erased concepts say.

    W' = W (I - strength D), D = P_f - P_f P_r, with P_f and P_r soft projections on the states to
    forget and to retain. Such a P is U L U' with U the principal directions of the states and
    L = alpha r / ((alpha - 1) r + 1), r their shares; W P is the minimiser Y of

        alpha |(Y - W) C^1/2|^2 + |Y (I - C)^1/2|^2,   C = sum_i s_i x_i x_i' / sum_i s_i |x_i|^2.

    It moves keys to no target: `target` is only what is left of the concept is measured against.

    Source: Das Biswas et al. 2025, CURE, arXiv 2505.12677.
    """

    # Only its edit of the pooled path weighs what is held, or has a ridge.
    preserve_scale: ClassVar[float] = 3.0  # type: ignore[misc]
    ridge: ClassVar[float] = 0.01  # type: ignore[misc]
    method: Literal["cure"] = "cure"
    positions: Positions = "eos"
    alpha: Annotated[
        float,
        Field(
            ge=1, strict=True, description="How much the lesser directions count: 1 their share."
        ),
    ] = 2.0

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """The one map that all of them get; no weight enters it."""
        self.keys(context)
        forget = axes(context.keys, context.key_weights)
        retain = self._retained(context)
        own = expanded(forget.shares, self.alpha)[:, None] * forget.basis
        free = own - onto(own, retain.basis, expanded(retain.shares, self.alpha))
        return dict.fromkeys(weights, Mapped(-self.strength * forget.basis.T, free))

    def feasibility(self, context: Context) -> Matrix:
        """The share of each edited key that the retained directions do not take, (n,)."""
        retain = self._retained(context)
        taken = onto(context.keys, retain.basis, expanded(retain.shares, self.alpha))
        inside = np.einsum("nd,nd->n", context.keys, taken)
        free: Matrix = 1 - inside / np.einsum("nd,nd->n", context.keys, context.keys)
        return free

    def _retained(self, context: Context) -> Axes:
        return axes(context.preserve, context.preserve_weights)
