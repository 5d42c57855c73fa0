"""What a probe found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """What a probe measured at one site: mean over `count` runs and their standard deviation."""

    site: str
    mean: float
    std: float
    count: int
