from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from surgery.report.verify import Group
from surgery.verify.samples import SIDE, Sample, chosen
from tests.verify.build import asked, shown


def samples(number: int, group: Group, after: int, count: int, side: int = 4) -> list[Sample]:
    """So many of the pairs still show the concept, the first ones."""
    rows = shown(group, "gogh", count, after, count)
    blank = np.zeros((side, side, 3), np.uint8)
    return [Sample(number, row, (blank, blank)) for row in rows]


SETS = [asked("erased", "gogh", "style", *"abcdefgh"), asked("kept", "gogh", "style", *"abcd")]


def test_pairs_are_spread_over_each_set_twice_as_many_of_what_should_be_gone() -> None:
    both = [*samples(0, "erased", 0, 8), *samples(1, "kept", 4, 4)]
    found = chosen(SETS, both, 2)
    assert [(one.group, one.seed) for one in found] == [
        *(("erased", seed) for seed in (0, 2, 4, 6)),
        *(("kept", seed) for seed in (0, 2)),
    ]


def test_pairs_that_should_not_be_are_shown_too() -> None:
    found = chosen(SETS[:1], samples(0, "erased", 3, 8), 1)
    assert [one.seed for one in found] == [0, 1, 2, 4]
    lost = chosen([SETS[1]], samples(0, "kept", 1, 4), 1)
    assert [one.seed for one in lost] == [0, 1, 2, 3]


def test_without_a_page_no_picture_is_kept() -> None:
    assert chosen(SETS[:1], samples(0, "erased", 8, 8), 0) == ()


def test_a_picture_is_a_png_of_moderate_size() -> None:
    (first, *_) = chosen(SETS[:1], samples(0, "erased", 0, 8, side=2 * SIDE), 1)
    picture = Image.open(io.BytesIO(base64.b64decode(first.before)))
    assert (picture.format, picture.size) == ("PNG", (SIDE, SIDE))
