from __future__ import annotations

import pytest

from surgery.cli.address import BUILT_IN, chosen_address


@pytest.mark.parametrize(
    ("named", "own", "chosen"),
    [("mine", "its", "mine"), (None, "its", "its"), (None, None, BUILT_IN), ("", "its", "")],
)
def test_the_model_named_goes_before_the_recipes_and_that_before_the_built_in(
    named: str | None, own: str | None, chosen: str
) -> None:
    assert chosen_address(named, own) == chosen
