"""Keys that an edit cannot tell apart: arrays with labels in, pairs of labels out.

Text states share a large mean: as they are, any two of them look alike, and their cosine tells
little. What is held (the empty prompt, plain captions) holds that mean, so an edit acts on what is
left beside it. Every cosine here is therefore taken of states less a centre, the mean state of
prompts in general; a centre of zeros compares states as they are. The centre should not be the mean
of the few keys at hand: two keys less their own mean are always opposite.

With the centre held and nothing else, an edit that moves the output of one key by x moves that of
another by their cosine times x (for states as far from the centre). Opposite keys are as bound to
each other as parallel ones, so pairs are ranked by the size of the cosine, and its sign is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Single = NDArray[np.float32]
Places = NDArray[np.intp]

PARALLEL = 0.9
"""Cosine from which two keys are hardly told apart."""

BLOCKED = 0.01
"""Share of a key that preserving leaves free, below which an edit hardly reaches it."""

CHUNK = 512
"""Keys compared at a time: the table of cosines is never held as a whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Finite states, each with the name it belongs to; a name may have many.

    Args:
        states: (n, in).
        labels: (n,).
        weights: (n,), rows of weight 0 are left out; None counts all.
    """

    states: Matrix
    labels: Sequence[str]
    weights: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two names and the cosine of those of their keys that are most nearly parallel."""

    first: str
    second: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Inside:
    """A name some of whose keys lie in the span of what is preserved.

    Args:
        free: the smallest share of a key that is left free.
        blocked: how many of its keys are below the limit.
        keys: how many it has.
    """

    label: str
    free: float
    blocked: int
    keys: int


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """Unit vectors sorted by name.

    Args:
        names: (g,), in order of their first appearance.
        units: (n, in), zero where a state is the centre itself.
        owners: (n,), which name each row belongs to, ascending.
    """

    names: tuple[str, ...]
    units: Single
    owners: Places


def conflicts(
    edited: Labelled,
    held: Labelled,
    centre: Matrix,
    *,
    threshold: float = PARALLEL,
    top: int | None = None,
) -> tuple[Pair, ...]:
    """Pairs of an edited and a held name with nearly parallel keys, the worst first.

    Args:
        centre: (in,), the mean state of prompts in general.
        threshold: the smallest size of a cosine that is listed.
        top: the most pairs that are listed; None lists all.
    """
    left, right = directions(edited, centre), directions(held, centre)
    return _listed(_strongest(left, right), left.names, right.names, threshold)[:top]


def rivals(
    edited: Labelled,
    goals: Mapping[str, str],
    centre: Matrix,
    *,
    threshold: float = PARALLEL,
    top: int | None = None,
) -> tuple[Pair, ...]:
    """Pairs of edited names with nearly parallel keys but different goals, each pair once.

    Args:
        goals: what each name is to become.
        centre, threshold, top: as in `conflicts`.
    """
    found = directions(edited, centre)
    kinds = list(dict.fromkeys(goals[name] for name in found.names))
    wanted = np.array([kinds.index(goals[name]) for name in found.names], dtype=np.intp)
    table = np.where(wanted[:, None] != wanted, _strongest(found, found), 0)
    return _listed(np.triu(table, 1), found.names, found.names, threshold)[:top]


def inside(
    labels: Sequence[str], free: Matrix, *, limit: float = BLOCKED, top: int | None = None
) -> tuple[Inside, ...]:
    """Names with keys that preserving hardly lets go, those with the largest part of them first.

    Args:
        labels: (n,), the name of each edited key.
        free: (n,), the share of each key that is left free, as `closed_form.feasibility` finds it.
        limit: the share below which a key counts as blocked.
    """
    names, owners = _numbered(labels)
    keys = np.bincount(owners, minlength=len(names))
    blocked = np.bincount(owners, weights=free < limit, minlength=len(names)).astype(int)
    least = np.full(len(names), np.inf)
    np.minimum.at(least, owners, free)
    order = np.lexsort((least, -blocked / np.maximum(keys, 1)))
    found = (Inside(names[i], float(least[i]), int(blocked[i]), int(keys[i])) for i in order)
    return tuple(entry for entry in found if entry.blocked)[:top]


def directions(given: Labelled, centre: Matrix) -> Directions:
    """Each state less the centre, at length one; what is only noise beside the state is zero.

    Args:
        centre: (in,).
    """
    names, owners = _numbered(given.labels)
    order = np.argsort(owners, kind="stable")
    if given.weights is not None:
        order = order[given.weights[order] > 0]
    # The states are many: what follows works in this one copy of them.
    apart = given.states[order]
    noise = 1e-9 * (_lengths(apart) + np.linalg.norm(centre))
    apart -= centre
    lengths = _lengths(apart)
    apart *= np.where(lengths > noise, 1 / np.where(lengths > noise, lengths, 1), 0)[:, None]
    return Directions(names, apart.astype(np.float32), owners[order])


def _lengths(rows: Matrix) -> Matrix:
    found: Matrix = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    return found


def _numbered(labels: Sequence[str]) -> tuple[tuple[str, ...], Places]:
    names = {name: number for number, name in enumerate(dict.fromkeys(labels))}
    return tuple(names), np.array([names[label] for label in labels], dtype=np.intp)


def _strongest(left: Directions, right: Directions) -> Single:
    """(names of left, names of right), the cosine of largest size over the keys of each pair."""
    best = np.zeros((len(left.names), len(right.names)), dtype=np.float32)
    if not len(right.owners):
        return best
    columns = _starts(right.owners)
    for first in range(0, len(left.owners), CHUNK):
        owners = left.owners[first : first + CHUNK]
        cosines = right.units @ left.units[first : first + CHUNK].T
        rows = _starts(owners)
        found = _extreme(_extreme(cosines, columns).T, rows)
        where = np.ix_(owners[rows], right.owners[columns])
        best[where] = np.where(np.abs(found) > np.abs(best[where]), found, best[where])
    return best


def _starts(owners: Places) -> Places:
    """Where each name's rows begin."""
    return np.flatnonzero(np.diff(owners, prepend=-1))


def _extreme(values: Single, starts: Places) -> Single:
    """The value of largest size in each run of rows."""
    high = np.maximum.reduceat(values, starts, axis=0)
    low = np.minimum.reduceat(values, starts, axis=0)
    return np.where(high >= -low, high, low)


def _listed(
    table: Single, first: Sequence[str], second: Sequence[str], threshold: float
) -> tuple[Pair, ...]:
    rows, columns = np.nonzero((np.abs(table) >= threshold) & (table != 0))
    order = np.argsort(-np.abs(table[rows, columns]), kind="stable")
    chosen = zip(rows[order], columns[order], strict=True)
    return tuple(Pair(first[i], second[j], float(table[i, j])) for i, j in chosen)
