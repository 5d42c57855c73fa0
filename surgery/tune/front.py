"""The points that no other point beats on both counts, and which of them to take. Numbers only."""

from __future__ import annotations

from collections.abc import Sequence

Costs = tuple[float, float]
"""Leak and drift of one point; less of either is better."""

LEVEL = 1e-9
"""Distance below the line, in units of the scaled axes, that is no more than rounding."""


def front(costs: Sequence[Costs]) -> tuple[int, ...]:
    """The points that no other is at least as good as on both counts, from least drift on.

    Of points that cost the same, the first stands for all.
    """
    order = sorted(range(len(costs)), key=lambda place: (costs[place][1], costs[place][0], place))
    found: list[int] = []
    for place in order:
        if not found or costs[place][0] < costs[found[-1]][0]:
            found.append(place)
    return tuple(found)


def knee(costs: Sequence[Costs]) -> int:
    """The place in a front of the point farthest below the line through its ends.

    Both axes are scaled to the ends first. Where none lies below that line, as among fewer than
    three, it is the end with the least leak.

    Args:
        costs: a front, from least drift on; at least one point.
    """
    last = len(costs) - 1
    (most_leak, least_drift), (least_leak, most_drift) = costs[0], costs[last]
    best, deepest = last, LEVEL
    for place in range(last - 1, 0, -1):
        leak, drift = costs[place]
        across = (drift - least_drift) / (most_drift - least_drift)
        below = 1 - across - (leak - least_leak) / (most_leak - least_leak)
        if below > deepest:
            best, deepest = place, below
    return best
