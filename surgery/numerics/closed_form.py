"""Ridge edits of one linear map, solved exactly: arrays in, low-rank factors out. No names here.

Rows are vectors: keys are (n, in), a weight is (out, in). With preserve keys p_j the edit is the
one minimiser of

    sum_i s_i |W' k_i - v_i|^2  +  sum_j q_j |(W' - W) p_j|^2  +  ridge |W' - W|^2,

so W' - W = R @ mix @ down, where R = V - W K holds one residual column per key. `mix` and `down`
depend on the keys alone: every matrix that reads the same keys shares them, and where the targets
are images of vectors t_i under the same matrix, W' = W P with one P = I + (T - K) mix down.

Everything is float64 and by Cholesky. Factors are balanced, so that rounding them to half precision
costs no more than rounding the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# Components of the edited keys whose share of the change cannot exceed this are left out: repeated
# keys then cost no rank.
NEGLIGIBLE = 1e-10

# Rows that are scaled at a time.
CHUNK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """What is edited, what is preserved, and how firmly.

    Args:
        edited: (n, in), the inputs whose outputs are to change.
        weights: (n,), s_i >= 0.
        preserve: (m, in), the inputs whose outputs are to stay; m may be 0.
        preserve_weights: (m,), q_j >= 0.
        ridge: the weight of |W' - W|^2, in units of |k|^2; above 0.
        exact: hold the outputs of `preserve` exactly, as for q_j without bound.
    """

    edited: Matrix
    weights: Matrix
    preserve: Matrix
    preserve_weights: Matrix
    ridge: float
    exact: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """The part of a ridge edit that no weight enters: W' - W = R @ mix @ down.

    Args:
        mix: (n, r), one row per edited key.
        down: (r, in), shared by every matrix that reads these keys.
    """

    mix: Matrix
    down: Matrix


def gain(keys: Keys) -> Gain:
    """Solve the ridge edit for these keys, whatever matrix it will be used on.

    Source: Basu et al. 2024, arXiv 2310.13730, eq. 8-9; with preserve terms Gandikota et al. 2024,
    arXiv 2308.14761, eq. 7; written here as dW = R (K'C^-1 K + ridge S^-1)^-1 K'C^-1 with
    C = I + P'QP / ridge.
    """
    root = np.sqrt(keys.weights)[:, None]
    turn = _principal(root * keys.edited, keys.ridge)
    held = turn.T @ (root * keys.edited)
    free = turn.T @ (root * _edited_free(keys))
    inner = _symmetric(held @ free.T) + keys.ridge * np.eye(len(held))
    lower = _cholesky(inner)
    return Gain(mix=solve_lower(lower, (root * turn).T).T, down=solve_lower(lower, free))


def ridge_edit(weight: Matrix, outputs: Matrix, keys: Keys) -> tuple[Matrix, Matrix]:
    """Factors (up, down) of W' - W for given target outputs.

    Args:
        weight: (out, in).
        outputs: (n, out), the wanted W' k_i without any bias.
        keys: the edited and the preserved inputs.
    """
    solved = gain(keys)
    residual = outputs.T - weight @ keys.edited.T
    return residual @ solved.mix, solved.down


def shared_factors(targets: Matrix, keys: Keys) -> tuple[Matrix, Matrix]:
    """Factors (left, right) of the one P = I + left @ right with W' = W P for every matrix W.

    Args:
        targets: (n, in), inputs t_i of the same matrices; the wanted output is W t_i.
        keys: the edited and the preserved inputs.
    """
    solved = gain(keys)
    return (targets - keys.edited).T @ solved.mix, solved.down


def shared_map(targets: Matrix, keys: Keys) -> tuple[Matrix, Matrix | None]:
    """The same P in whichever form costs less: thin factors, or P - I whole and None.

    Up to a quarter as many edited keys as the input is wide, a weight times the two factors is the
    cheaper product; above that one factorisation of width `in` is the cheaper solve too.

    Args:
        targets: (n, in), as for `shared_factors`.
        keys: the edited and the preserved inputs.
    """
    count, width = keys.edited.shape
    if keys.exact or count <= width // 4:
        return shared_factors(targets, keys)
    return _whole_map(targets, keys), None


def feasibility(keys: Keys) -> Matrix:
    """The share of each edited key that the preserve keys leave free, |Pi k|^2 / |k|^2, as (n,).

    With firm but not exact preserve terms Pi is their ridge-softened form. Where the share is below
    ridge / |k|^2, preserving wins and the key keeps more than half of its old output.
    """
    free = _edited_free(keys)
    squares = np.einsum("nd,nd->n", keys.edited, keys.edited)
    inside = np.einsum("nd,nd->n", keys.edited, free)
    shares: Matrix = inside / np.where(squares > 0, squares, 1.0)
    return shares


def _whole_map(targets: Matrix, keys: Keys) -> Matrix:
    """P - I = (T - K)' S K (K' S K + P' Q P + ridge I)^-1, as (in, in)."""
    covered = _weighted_gram(keys.edited, keys.weights) + _held_gram(keys)
    covered.flat[:: len(covered) + 1] += keys.ridge
    wanted = (keys.edited * keys.weights[:, None]).T @ (targets - keys.edited)
    return solve_cholesky(_cholesky(covered), wanted).T


def solve_lower(lower: Matrix, right: Matrix) -> Matrix:
    """X with lower @ X = right, for a lower triangular matrix, by halving."""
    if len(lower) <= 64:
        return np.linalg.solve(lower, right).astype(np.float64, copy=False)
    half = len(lower) // 2
    top = solve_lower(lower[:half, :half], right[:half])
    rest = right[half:] - lower[half:, :half] @ top
    return np.concatenate([top, solve_lower(lower[half:, half:], rest)])


def solve_cholesky(lower: Matrix, right: Matrix) -> Matrix:
    """X with (lower @ lower.T) @ X = right."""
    flipped = lower.T[::-1, ::-1]
    return solve_lower(flipped, solve_lower(lower, right)[::-1])[::-1]


@lru_cache(maxsize=1)
def _edited_free(keys: Keys) -> Matrix:
    """Each edited key times C^-1; a solve and its figures both need it, and it costs the most."""
    return _released(keys.edited, keys)


def _released(vectors: Matrix, keys: Keys) -> Matrix:
    """Each row times C^-1: what is left of it beside the preserve keys."""
    count = int(np.count_nonzero(keys.preserve_weights))
    if not count:
        return vectors
    if keys.exact:
        return _without_span(vectors, keys.preserve[keys.preserve_weights > 0])
    if count >= keys.preserve.shape[1]:
        return _wide(vectors, keys)
    firm = keys.preserve_weights > 0
    roots = np.sqrt(keys.preserve_weights[firm])[:, None]
    return _thin(vectors, keys.preserve[firm] * roots, keys.ridge)


def _wide(vectors: Matrix, keys: Keys) -> Matrix:
    """One (in, in) factorisation, for as many preserve keys as the input is wide, or more."""
    covered = _held_gram(keys) / keys.ridge
    covered.flat[:: len(covered) + 1] += 1.0
    return solve_cholesky(_cholesky(covered), vectors.T).T


@lru_cache(maxsize=1)
def _held_gram(keys: Keys) -> Matrix:
    """P'QP, (in, in); a solve and its figures both need it."""
    return _weighted_gram(keys.preserve, keys.preserve_weights)


def _weighted_gram(rows: Matrix, weights: Matrix) -> Matrix:
    """rows' diag(weights) rows, (in, in), without a second copy of the rows."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), CHUNK):
        some = slice(start, start + CHUNK)
        scaled = rows[some] * np.sqrt(weights[some])[:, None]
        total += scaled.T @ scaled
    return total


def _thin(vectors: Matrix, preserve: Matrix, ridge: float) -> Matrix:
    """The same by Woodbury's identity, through one (m, m) factorisation."""
    gram = preserve @ preserve.T + ridge * np.eye(len(preserve))
    shares = solve_cholesky(_cholesky(gram), preserve @ vectors.T)
    return vectors - shares.T @ preserve


def _without_span(vectors: Matrix, preserve: Matrix) -> Matrix:
    """Each row less its projection on the span of the preserve keys, twice for full precision."""
    _, sizes, basis = np.linalg.svd(preserve, full_matrices=False)
    basis = basis[sizes > sizes[0] * max(preserve.shape) * np.finfo(np.float64).eps]
    once: Matrix = vectors - vectors @ basis.T @ basis
    twice: Matrix = once - once @ basis.T @ basis
    return twice


def _principal(keys: Matrix, ridge: float) -> Matrix:
    """(n, r): the combinations of keys that carry weight, an orthonormal set.

    More keys than the input is wide are first brought to as many, without loss.
    A component of length a changes outputs by at most a |K| / ridge of its residual. Lengths are
    measured on the combined keys, because the eigenvalues themselves are only known to |K|^2 eps.
    """
    many = len(keys) > keys.shape[1]
    basis, inside = np.linalg.qr(keys) if many else (np.eye(0), keys)
    _, turn = np.linalg.eigh(inside @ inside.T)
    lengths = np.linalg.norm(turn.T @ inside, axis=1)
    longest = lengths.max(initial=0.0)
    noise = len(keys) * np.finfo(np.float64).eps * longest
    kept = turn[:, (lengths > noise) & (lengths * longest > NEGLIGIBLE * ridge)]
    return basis @ kept if many else kept


def _cholesky(matrix: Matrix) -> Matrix:
    return np.linalg.cholesky(matrix).astype(np.float64, copy=False)


def _symmetric(matrix: Matrix) -> Matrix:
    return (matrix + matrix.T) / 2
