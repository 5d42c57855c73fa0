"""What was measured of the shipped weights: a value that prints as JSON beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from surgery.report import Report, Share


@dataclass(frozen=True, slots=True)
class Figures(Report):
    """Shares of obedient pictures by what was asked, and CLIP's zero-shot accuracies (0 to 1)."""

    kind: ClassVar[str] = "atelier"

    steps: int
    guidance: float
    settings: Mapping[str, int]
    settings_hash: str
    pictures: Mapping[str, Share]
    zero_shot: Mapping[str, float]
