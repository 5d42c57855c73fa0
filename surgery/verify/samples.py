"""The pairs of pictures that a report shows: spread evenly, and those that should not be."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from surgery.report.verify import ERASED, PicturePair, Row
from surgery.verify.items import Pixels
from surgery.verify.values import PromptSet

SIDE = 256
"""Pixels along an edge, at most."""
MISSES = 4
"""Of each set, pairs more in which an erased concept is still seen, or a kept one no longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A judged pair: the number of its set, what was seen, and what else is wanted of it.

    Args:
        pictures: before and after.
        features: of both, for FID.
    """

    number: int
    row: Row
    pictures: tuple[Pixels, Pixels] | None = None
    features: tuple[Tensor, Tensor] | None = None


def chosen(
    sets: Sequence[PromptSet], samples: Sequence[Sample], most: int
) -> tuple[PicturePair, ...]:
    """Some pairs of each set.

    Args:
        most: of each set, spread evenly over it; twice as many of what should be gone.
    """
    found: list[PicturePair] = []
    for number, asked in enumerate(sets):
        own = [one for one in samples if one.number == number]
        count = min(len(own), most * (2 if asked.group == "erased" else 1))
        spread = {place * len(own) // count for place in range(count)}
        misses = [place for place, one in enumerate(own) if _is_miss(one.row)]
        more = [place for place in misses if place not in spread][: MISSES if most else 0]
        found += _pairs(own[place] for place in sorted(spread.union(more)))
    return tuple(found)


def _pairs(samples: Iterator[Sample]) -> Iterator[PicturePair]:
    for one in samples:
        row = one.row
        if one.pictures is not None:
            old, new = map(_png, one.pictures)
            yield PicturePair(
                row.prompt, row.seed, row.group, row.concept, old, new, row.marks
            )  # fmt: skip


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
