"""Subspaces of a set of states: their main directions, hard or soft. Rows are vectors, no names.

How much of a set lies along a direction u is its share, sum q_i (u'x_i)^2 / sum q_i |x_i|^2; the
shares of an orthonormal set of directions add up to at most 1. They do not change where everything
is said twice, or in other units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surgery.numerics.closed_form import Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Orthonormal directions of a set, the main one first.

    Args:
        basis: (r, in).
        shares: (r,), how much of the set lies along each.
    """

    basis: Matrix
    shares: Matrix


def axes(states: Matrix, weights: Matrix) -> Axes:
    """The principal directions of weighted states, not less their mean.

    Args:
        states: (m, in); m may be 0.
        weights: (m,), q_i >= 0.
    """
    scaled = states * np.sqrt(weights)[:, None]
    if len(scaled) > scaled.shape[1]:
        scaled = np.asarray(np.linalg.qr(scaled, mode="r"))
    _, sizes, basis = np.linalg.svd(scaled, full_matrices=False)
    energy = sizes**2
    total = energy.sum()
    real = sizes > sizes.max(initial=0.0) * max(states.shape) * np.finfo(np.float64).eps
    return Axes(basis[real], energy[real] / total if total else energy[real])


def main(found: Axes, threshold: float) -> Matrix:
    """The directions with at least this share each, (r, in)."""
    return found.basis[found.shares >= threshold]


def expanded(shares: Matrix, alpha: float) -> Matrix:
    """How much of each direction a soft projection takes: a r / ((a - 1) r + 1), r its share.

    Source: Das Biswas et al. 2025, CURE, arXiv 2505.12677.
    """
    return alpha * shares / ((alpha - 1) * shares + 1)


def onto(vectors: Matrix, basis: Matrix, amounts: Matrix | None = None) -> Matrix:
    """Each row's part along orthonormal directions, each by its amount (all of it if left out)."""
    inside = vectors @ basis.T
    return (inside if amounts is None else inside * amounts) @ basis
