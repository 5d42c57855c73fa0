from __future__ import annotations

import pytest

from surgery.atelier.census import attribute_counts
from surgery.atelier.world import Scene
from surgery.errors import UsageError

SEEN = (
    Scene("cross", "red", "van gogh"),
    Scene("cross", "blue"),
    Scene("ball", "blue"),
    Scene("cross", "green"),
)


def test_an_attribute_is_counted_where_all_that_it_says_is_shown() -> None:
    assert attribute_counts(["red cross", "blue cross", "a blue thing"], SEEN) == (1, 1, 2)
    assert attribute_counts(["cross by van gogh", "ball"], SEEN) == (1, 1)


def test_an_attribute_that_the_judge_cannot_read_is_an_error() -> None:
    with pytest.raises(UsageError, match="cannot read 'a purple thing'"):
        attribute_counts(["a purple thing", "red"], SEEN)
