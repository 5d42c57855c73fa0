"""Which names a model keeps near a concept: the ones that an edit of it is likely to move too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surgery.numerics.conflicts import Labelled, Matrix, directions


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
    found = directions(given, centre)
    starts = np.flatnonzero(np.diff(found.owners, prepend=-1))
    sums = np.add.reduceat(found.units, starts, axis=0, dtype=np.float64)
    lengths = np.linalg.norm(sums, axis=1)
    some = np.flatnonzero(lengths > 0)
    owners = found.owners[starts][some]
    return tuple(found.names[i] for i in owners), sums[some] / lengths[some][:, None]
