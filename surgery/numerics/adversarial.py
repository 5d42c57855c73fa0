"""What brings an edit's old outputs back: the worst input for weights that were changed.

The input c* that best gives, behind all changed weights V, what c gave behind all weights W, is
known in closed form. With V = W P for a map P that all of a set share, of the weights only
M = sum W'W enters it: one (in, in) matrix, gathered while they stream by. Rows are vectors. No
names here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from surgery.numerics.closed_form import Matrix, solve_cholesky

Array = NDArray[np.floating]
Factors = tuple[Array, Array | None]
"""(left, right) of a map I + left @ right; None for the identity."""


def gram_of(weights: Iterable[Array]) -> Matrix:
    """M = sum W'W over weights of the same input, as (in, in); each is looked at once.

    Products are in each weight's own precision, their sum in double.
    """
    total: Matrix | None = None
    for weight in weights:
        product = (weight.T @ weight).astype(np.float64, copy=False)
        total = product if total is None else total + product
    return np.zeros((0, 0)) if total is None else total


def cross_gram(edited: Sequence[Array], weights: Sequence[Array]) -> Matrix:
    """sum V'W over weights W and what became of them, V, as (in, in)."""
    products = (new.T @ old for new, old in zip(edited, weights, strict=True))
    return np.asarray(sum(products, np.zeros(())), dtype=np.float64)


def recalling(keys: Matrix, gram: Matrix, cross: Matrix, ridge: float) -> Matrix:
    """The inputs c* that minimise sum |V c* - W c|^2 + r |c*|^2 over weights W, V, as (n, in).

    Args:
        keys: (n, in), the inputs c whose old outputs are wanted back.
        gram: (in, in), sum V'V.
        cross: (in, in), sum V'W.
        ridge: r, in units of the mean |V u|^2 over unit inputs u, summed over the weights; above 0.

    Source: Gong et al. 2024, RECE, arXiv 2407.12383.
    """
    return _recalled(keys, gram, cross, ridge * float(np.trace(gram)) / len(gram))


def restoring(keys: Matrix, gram: Matrix, edited: Factors, ridge: float) -> Matrix:
    """The inputs c* that minimise sum_W |W P c* - W c|^2 + r |c*|^2, as (n, in).

    As `recalling`, with V = W P.

    Args:
        keys: (n, in), the inputs c whose old outputs are wanted back.
        gram: (in, in), M of all edited weights as they were.
        edited: the factors of P.
        ridge: r, in units of the mean |W u|^2 over unit inputs u, summed over the weights; above 0.

    Source: Gong et al. 2024, RECE, arXiv 2407.12383.
    """
    size = ridge * float(np.trace(gram)) / len(gram)
    mixed = through(edited, gram)
    return _recalled(keys, through(edited, mixed.T), mixed.T, size)


def worst_leak(
    keys: Matrix, targets: Matrix, gram: Matrix, edited: Factors, ridge: float
) -> Matrix:
    """|W' c* - W t| / |W c - W t| with c* as `restoring` finds it, over all weights at once, (n,).

    Lengths are those of all outputs side by side. The weights as they are solved: what rounding
    takes is left out.
    """
    found = images(edited, restoring(keys, gram, edited, ridge))
    left, whole = _sizes(found - targets, gram), _sizes(keys - targets, gram)
    unmoved = np.where(left > 0, np.inf, 0.0)
    return np.sqrt(np.where(whole > 0, left / np.where(whole > 0, whole, 1.0), unmoved))


def images(edited: Factors, inputs: Array) -> Matrix:
    """P x for every row x."""
    left, right = edited
    inside = inputs if right is None else inputs @ right.T
    return np.asarray(inputs + inside @ left.T, dtype=np.float64)


def through(edited: Factors, matrix: Array) -> Matrix:
    """matrix @ P."""
    left, right = edited
    added = matrix @ left if right is None else (matrix @ left) @ right
    return np.asarray(matrix + added, dtype=np.float64)


def composed(outer: Factors, inner: Factors) -> Factors:
    """The factors of P_outer @ P_inner: the inner map is the first that an input meets."""
    (left, right), (after, last) = outer, inner
    if right is not None and last is not None and len(right) + len(last) <= len(left) // 2:
        moved = images(outer, after.T).T
        return np.concatenate([left, moved], axis=1), np.concatenate([right, last])
    whole = np.eye(len(left))
    return through(inner, through(outer, whole)) - whole, None


def _sizes(vectors: Matrix, gram: Matrix) -> Matrix:
    return np.asarray(np.maximum(np.einsum("ni,ni->n", vectors @ gram, vectors), 0))


def _recalled(keys: Matrix, gram: Matrix, cross: Matrix, size: float) -> Matrix:
    covered = (gram + gram.T) / 2 + size * np.eye(len(gram))
    lower: Matrix = np.asarray(np.linalg.cholesky(covered))
    return solve_cholesky(lower, cross @ keys.T).T
