"""Which names a model keeps near a concept: the ones that an edit of it is likely to move too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surgery.numerics.conflicts import CHUNK, Labelled, Matrix, directions


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A name and the cosine of its mean direction with that of a concept."""

    name: str
    cosine: float


def nearest(
    concepts: Labelled, candidates: Labelled, centre: Matrix, *, top: int
) -> dict[str, tuple[Neighbour, ...]]:
    """The candidates most like each concept, the likest first, and never the concept itself.

    A name's direction is the mean over its states less the centre, each at length one. So give of
    every name the same places in the same prompts.

    Args:
        centre: (in,), the mean state of prompts in general; see `conflicts`.
        top: the most neighbours of one concept.
    """
    names, own = _means(concepts, centre)
    others, theirs = _means(candidates, centre)
    found = {}
    for name, cosines in zip(names, own @ theirs.T, strict=True):
        order = [i for i in np.argsort(-cosines, kind="stable") if others[i] != name][:top]
        found[name] = tuple(Neighbour(others[i], float(cosines[i])) for i in order)
    return found


def _means(given: Labelled, centre: Matrix) -> tuple[tuple[str, ...], Matrix]:
    """(names, (g, in)), the direction of each name that has a state."""
    names = tuple(dict.fromkeys(given.labels))
    places = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), given.states.shape[1]))
    for part in _parts(given):
        found = directions(part, centre)
        starts = np.flatnonzero(np.diff(found.owners, prepend=-1))
        owners = [places[found.names[owner]] for owner in found.owners[starts]]
        if owners:
            sums[owners] += np.add.reduceat(found.units, starts, axis=0, dtype=np.float64)
    lengths = np.linalg.norm(sums, axis=1)
    some = np.flatnonzero(lengths > 0)
    return tuple(names[i] for i in some), sums[some] / lengths[some][:, None]


def _parts(given: Labelled) -> Iterator[Labelled]:
    """A few rows at a time: the states are many, and directions are a copy of them."""
    for first in range(0, len(given.labels), CHUNK):
        some = slice(first, first + CHUNK)
        weights = None if given.weights is None else given.weights[some]
        yield Labelled(given.states[some], given.labels[some], weights)
