"""A share of pictures and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """How many of `count` pictures, with the 95 % interval of Wilson (1927)."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, value: float, count: int) -> Share:
        """The interval of a share `value` (0 to 1) seen in `count` pictures."""
        z = 1.96
        middle = (value + z * z / (2 * count)) / (1 + z * z / count)
        reach = math.sqrt(value * (1 - value) / count + z * z / (4 * count * count))
        half = z * reach / (1 + z * z / count)
        # At the ends the formula gives the ends, but for rounding.
        low = 0.0 if value == 0 else max(0.0, middle - half)
        return cls(value, low, 1.0 if value == 1 else min(1.0, middle + half), count)
