"""SPEED: erase concepts from the value matrices, in the null space of what is held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from surgery.edits.base import Ask, Asks, Context, Matrix
from surgery.edits.held import HeldEdit, Threshold
from surgery.edits.ridge import Positions
from surgery.numerics.closed_form import Keys, shared_factors
from surgery.numerics.null_space import axes, main

if TYPE_CHECKING:
    from surgery.layout import Layout, Site

VALUES = "cross_attn.v"
HARD = (Ask("", None, "bos"), Ask("", None, "eos"))


class Speed(HeldEdit):
    """Make concepts read as their targets in every value matrix, and hold the rest exactly.

    With Pi the projection on what is left beside the main directions of what is held and beside
    every invariant (the begin token, the empty prompt's end token), it minimises

        sum_i s_i |W' k_i - W t_i'|^2 + r |W' - W|^2   over   W' - W = (W' - W) Pi,

    t' = k + strength (t - k), r = ridge mean |k|^2: W' = W + R (K' Pi K + r S^-1)^-1 K' Pi, which
    is the paper's W (T K' - K K') Pi Q M with r = 1. With `selective`, only those states are held
    that an edit holding the invariants alone would move more than they move on the mean.

    Source: SPEED, arXiv 2503.07392; its random augmentations of what is held are left out, and the
    empty prompt's padding is held, not invariant.
    """

    method: Literal["speed"] = "speed"
    positions: Positions = "last"
    threshold: Threshold = 0.0003
    selective: Annotated[
        bool,
        Field(
            strict=True,
            description="Whether to hold only what the edit would move more than the mean.",
        ),
    ] = True

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The value matrices, or what `where` names."""
        return layout.select(self.where or VALUES)

    def asks(self, layout: Layout) -> Asks:
        """As every edit of cross-attention; the invariants count without bound."""
        asks = super().asks(layout)
        rest = [ask for ask in asks.preserve if _plain(ask) not in HARD]
        hard = [replace(ask, weight=np.inf) for ask in HARD]
        return replace(asks, preserve=(*hard, *rest))

    def exempt(self, context: Context) -> Matrix:
        """The invariants, and the main directions of what is held."""
        hard = np.isinf(context.preserve_weights)
        fixed, held = context.preserve[hard], context.preserve[~hard]
        firm = context.preserve_weights[~hard]
        if self.selective and len(held):
            moved = self._moved(context, fixed, held)
            held, firm = held[moved >= moved.mean()], firm[moved >= moved.mean()]
        return np.concatenate([_units(fixed), main(axes(held, firm), self.threshold)])

    def _moved(self, context: Context, fixed: Matrix, held: Matrix) -> Matrix:
        """How far each held state would move if only the invariants were held, (m,)."""
        ridge = self.ridge * float(np.mean(np.sum(context.keys**2, axis=1)))
        ones = np.ones(len(fixed))
        alone = Keys(context.keys, context.key_weights, fixed, ones, ridge, exact=True)
        left, right = shared_factors(context.targets, alone)
        moved: Matrix = np.linalg.norm(held @ right.T @ left.T, axis=1)
        return moved

    def _firmness(self, context: Context) -> float:
        return 1.0


def _plain(ask: Ask) -> Ask:
    return replace(ask, weight=1.0, optional=False)


def _units(rows: Matrix) -> Matrix:
    lengths: Matrix = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths
