"""Double projection: a concept becomes what of it its targets can say, in what is not held."""

from __future__ import annotations

from typing import Literal

import numpy as np

from surgery.edits.base import Context, Matrix
from surgery.edits.held import HeldEdit
from surgery.edits.ridge import Positions
from surgery.numerics.null_space import axes, onto

SAME = 1e-9
"""Distance, in units of the key, within which a key lies in the span of the targets."""


class DoubleProjection(HeldEdit):
    """Make concepts read as their own projection on what is safe, and hold the rest exactly.

    Two projections: t = S (S'S)^+ S' k, the part of a key k in the span of the states S that the
    targets have; and Pi, on what is left beside the main directions of what is held. It minimises

        sum_i s_i |W' k_i - W t_i'|^2 + r |W' - W|^2   over   W' - W = (W' - W) Pi,

    t' = k + strength (t - k), r = ridge mean |k|^2. For one key and r = 0 this is the paper's
    W' - W = W (t - k) x' U' / |x|^2, x = U'k, U an orthonormal basis of the null space.

    Source: Double Projections, arXiv 2604.10032.
    """

    method: Literal["double_projection"] = "double_projection"
    positions: Positions = "eos"

    def targets(self, context: Context) -> Matrix:
        """The projections of the keys, each on the span of its own concept's targets."""
        goals = np.empty_like(context.keys)
        for label in dict.fromkeys(context.key_labels):
            rows = [row for row, name in enumerate(context.key_labels) if name == label]
            goals[rows] = _safe(context.keys[rows], context.targets[rows])
        return context.keys + self.strength * (goals - context.keys)


def _safe(keys: Matrix, targets: Matrix) -> Matrix:
    """Each key's part in the span of the targets; the key itself where it lies in it."""
    parts = onto(keys, axes(targets, np.ones(len(targets))).basis)
    missed = np.linalg.norm(keys - parts, axis=1, keepdims=True)
    inside = missed <= SAME * np.linalg.norm(keys, axis=1, keepdims=True)
    return np.where(inside, keys, parts)
