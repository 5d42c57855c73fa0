from __future__ import annotations

import numpy as np
import pytest

from surgery.edits.base import Ask, Asks
from surgery.tokens import Tokens, spots
from surgery.tokens.aligned import aligned

BEGIN, END, LENGTH = 0, 1, 8
WORDS = {"a": 2, "rose": 3, "blue": 4, "photo": 5, "of": 6}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(
        lambda text: [WORDS[word] for word in text.split()], BEGIN, END, END, max_length=LENGTH
    )


def places(source: Ask, target: Ask, tokens: Tokens) -> list[tuple[int, int]]:
    return [(len(key) - 1, len(goal) - 1) for key, goal in aligned(source, target, tokens)]


def test_the_same_place_is_as_far_from_the_begin(tokens: Tokens) -> None:
    source = Ask("a photo of rose", "rose", "subject")
    assert places(source, Ask("", None, "same"), tokens) == [(4, 4)]
    ((_, goal),) = aligned(source, Ask("", None, "same"), tokens)
    assert goal == (BEGIN, END, END, END, END)


def test_no_place_of_a_subject_is_matched_with_the_begin_of_the_empty_prompt(
    tokens: Tokens,
) -> None:
    for place in ("subject", "name", "eos", "pads", "all"):
        source = Ask("rose", "rose", place)  # type: ignore[arg-type]
        assert 0 not in [goal for _, goal in places(source, Ask("", None, "same"), tokens)]


def test_a_place_is_matched_with_the_next_same_token(tokens: Tokens) -> None:
    source, target = Ask("a rose", "a rose", "whole"), Ask("a blue rose", None, "match")
    end = [(3, 4), (4, 5), (5, 6), (6, 7), (7, 7)]
    assert places(source, target, tokens) == [(0, 0), (1, 1), (2, 3), *end]


def test_a_token_that_the_target_lacks_gets_its_last_place(tokens: Tokens) -> None:
    source, target = Ask("a blue rose", None, "prompt"), Ask("a rose", None, "match")
    assert places(source, target, tokens) == [(0, 0), (1, 1), (2, 7), (3, 2), (4, 3)]


def test_an_amount_is_added_to_the_state_of_the_source(tokens: Tokens) -> None:
    source = Ask("rose", "rose", "subject")
    pairs = (
        (source, Ask("blue", "blue", "subject", amount=0.5)),
        (source, Ask("photo", "photo", "subject")),
    )
    found = spots(Asks(edited=pairs), tokens)
    states = np.arange(8.0).reshape(4, 2)
    context = found.context(states)
    np.testing.assert_array_equal(context.targets, [[2.0, 3.5], [6.0, 7.0]])
    np.testing.assert_array_equal(states, np.arange(8.0).reshape(4, 2))
