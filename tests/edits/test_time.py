from __future__ import annotations

import pytest

from surgery.edits.base import Ask
from surgery.edits.time import Time

from .contract import layout

ROSE = {"erase": "a rose", "target": "a blue rose", "kind": "object"}


def time(**fields: object) -> Time:
    return Time.model_validate({"concepts": [ROSE], **fields})


def test_every_key_and_value_matrix_is_edited() -> None:
    assert len(time().sites(layout())) == 4


@pytest.mark.parametrize(("positions", "places"), [("all", "whole"), ("eos", "prompt")])
def test_prompts_are_matched_token_by_token(positions: str, places: str) -> None:
    pairs = time(positions=positions).asks(layout()).edited
    bare = Ask("a rose", "a rose", places), Ask("a blue rose", "a blue rose", "match")  # type: ignore[arg-type]
    assert bare in pairs
    assert {target.position for _, target in pairs} == {"match"}


def test_the_destination_is_not_held_as_it_is_neither_is_the_source() -> None:
    held = {ask.prompt for ask in time().asks(layout()).preserve}
    assert "a rose" not in held
    assert "a photo of cat" in held


def test_its_leak_is_that_of_its_own_prompts_and_of_other_wordings() -> None:
    edit = time()
    checks = edit.checks(layout())
    own = [(check.source, check.target) for check in checks if check.wording == "prompts"]
    assert own == list(edit.asks(layout()).edited)
    others = {check.wording: check for check in checks}
    assert {"paraphrases", "misspellings", "languages", "end token", "padding"} <= set(others)
    assert "a blue rose" in others["paraphrases"].target.prompt
