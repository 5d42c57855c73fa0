"""The pairs of pictures that a report shows: spread evenly, and those that should not be."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field

from PIL import Image

from surgery.report.verify import ERASED, PicturePair, Row
from surgery.verify.items import Pixels
from surgery.verify.values import PromptSet

SIDE = 256
"""Pixels along an edge, at most."""
MISSES = 4
"""Of each set, pairs more in which an erased concept is still seen, or a kept one no longer."""


@dataclass(slots=True)
class Samples:
    """Keeps some pairs of each set.

    Args:
        most: of each set, spread evenly over it; twice as many of what should be gone.
    """

    most: int
    _kept: list[PicturePair] = field(default_factory=list)
    _met: dict[int, int] = field(default_factory=dict)
    _missed: dict[int, int] = field(default_factory=dict)

    def add(self, asked: PromptSet, row: Row, before: Pixels, after: Pixels) -> None:
        """Take notice of a pair."""
        key = id(asked)
        number = self._met.get(key, 0)
        self._met[key] = number + 1
        most = min(self.most * (2 if asked.group == "erased" else 1), len(asked.asks))
        spread = any(number == place * len(asked.asks) // most for place in range(most))
        miss = self.most > 0 and _is_miss(row) and self._missed.get(key, 0) < MISSES
        if spread or miss:
            self._missed[key] = self._missed.get(key, 0) + (miss and not spread)
            self._kept.append(
                PicturePair(
                    row.prompt, row.seed, row.group, row.concept, _png(before), _png(after),
                    row.marks,
                )
            )  # fmt: skip

    def pairs(self) -> tuple[PicturePair, ...]:
        """The pairs, in the order they came."""
        return tuple(self._kept)


def _is_miss(row: Row) -> bool:
    if row.group in ERASED:
        return row.marks.shown_after is True
    return row.marks.shown_before is True and row.marks.shown_after is False


def _png(pixels: Pixels) -> str:
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
