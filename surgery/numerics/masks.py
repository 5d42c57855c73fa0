"""Which components a mask takes: the best of each row, of each weight, or of all together.

Scores in, places out. Of equal scores the one that lies first is taken first, so that a mask of a
lesser ratio lies within every larger one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Places = NDArray[np.int64]
Scope = Literal["row", "matrix", "global"]


def worth(speaking: Array, held: Array, floor: float) -> NDArray[np.float32]:
    """What taking a component out wins for each bit of damage: s / (h + floor).

    Taking out those of most worth first wins most while sum(h) stays within a budget, were damages
    to add up.

    Args:
        speaking: of any shape, what taking a component out wins.
        held: alike, at least 0, what it does to all that should stay.
        floor: > 0, damage that counts as none.
    """
    return (speaking / (held + np.float32(floor))).astype(np.float32)


def picked(values: Sequence[Array], ratio: float, scope: Scope) -> list[Places]:
    """The components of largest values, above zero only.

    Args:
        values: of each weight, (out, in) or, but for scope `row`, of any shape.
        ratio: 0 to 1, of each row, of each weight or of all, rounded up to whole components.

    Returns:
        One for each weight, (k,): places in it laid out row by row, in rising order.
    """
    if scope == "row":
        return [_of_rows(one, whole(ratio, one.shape[1])) for one in values]
    if scope == "matrix":
        return [largest(one.ravel(), whole(ratio, one.size)) for one in values]
    ends = np.cumsum([one.size for one in values])
    found = largest(np.concatenate([one.ravel() for one in values]), whole(ratio, int(ends[-1])))
    parts = np.split(found, np.searchsorted(found, ends[:-1]))
    return [part - (end - one.size) for part, end, one in zip(parts, ends, values, strict=True)]


def whole(ratio: float, count: int) -> int:
    """So much of so many, rounded up: never none of some."""
    return min(count, int(np.ceil(ratio * count - 1e-9)))


def largest(values: Array, count: int) -> Places:
    """The places of the `count` largest that are above zero, in rising order.

    Args:
        values: (n,).
    """
    count = min(count, int(np.count_nonzero(values > 0)))
    if not count:
        return np.zeros(0, np.int64)
    last = np.partition(values, len(values) - count)[len(values) - count]
    above, equal = np.flatnonzero(values > last), np.flatnonzero(values == last)
    return np.sort(np.concatenate([above, equal[: count - len(above)]]))


def _of_rows(values: Array, count: int) -> Places:
    first = np.argsort(-values, axis=1, kind="stable")[:, :count]
    return _laid_out(first, np.take_along_axis(values, first, axis=1) > 0, values.shape[1])


def published(values: Array, ratio: float) -> Places:
    """The mask as it was published: of each row int(ratio * in), where the score is at least 0.

    Rounded down, it takes nothing at all from narrow rows.

    Args:
        values: (out, in).

    Source: Nguyen et al. 2025, arXiv 2412.02542, the ablation of section 4.
    """
    first = np.argsort(-values, axis=1, kind="stable")[:, : int(ratio * values.shape[1])]
    return _laid_out(first, np.take_along_axis(values, first, axis=1) >= 0, values.shape[1])


def _laid_out(columns: Places, taken: NDArray[np.bool_], width: int) -> Places:
    rows = np.arange(len(columns))[:, None] * width
    return np.sort((rows + columns)[taken]).astype(np.int64)


def units(inward: Array, outward: Array) -> Array:
    """What the hidden units of a feed-forward count, by summing over their weights.

    Args:
        inward: (m units, in); gated, m = 2: values first, their gates behind them.
        outward: (out, units).

    Returns:
        (units,), float64.
    """
    hidden = outward.shape[1]
    coming = inward.reshape(-1, hidden, inward.shape[1]).sum(axis=(0, 2), dtype=np.float64)
    total: Array = coming + outward.sum(axis=0, dtype=np.float64)
    return total


def unit_places(
    chosen: Places, inward: tuple[int, int], outward: tuple[int, int]
) -> tuple[Places, Places]:
    """The weights of hidden units: their rows on the way in, their columns on the way out.

    Args:
        chosen: (k,), units.
        inward, outward: shapes of the two weights, see `units`.
    """
    hidden = outward[1]
    rows = np.concatenate([chosen + part for part in range(0, inward[0], hidden)])
    coming = rows[:, None] * inward[1] + np.arange(inward[1])
    going = np.arange(outward[0])[:, None] * hidden + chosen
    return np.sort(coming.ravel()), np.sort(going.ravel())
