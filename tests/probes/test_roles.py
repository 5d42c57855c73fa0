from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from surgery.probes.roles import ROLES, places
from tests.helpers.probing import FAMILIES, PAIRS, model

PROMPTS = st.lists(st.integers(0, 76), min_size=3, max_size=3, unique=True).map(sorted)
"""First and last place of a subject, and the end token's."""


@given(PROMPTS, st.booleans())
def test_roles_share_out_all_places_of_a_prompt(spots: list[int], is_one_token: bool) -> None:
    first, last, end = spots
    span = (last, last) if is_one_token else (first, last)
    found = [place for role in ROLES for place in places(role, span, end, 77)]
    assert found == list(range(77))


@given(PROMPTS)
def test_the_subject_is_its_first_middle_and_last_tokens(spots: list[int]) -> None:
    first, last, end = spots
    span = (first, last)
    assert list(places("first", span, end, 77)) == [first]
    assert list(places("last", span, end, 77)) == [last]
    assert list(places("middle", span, end, 77)) == list(range(first + 1, last))


def test_a_subject_of_one_token_is_all_last() -> None:
    found = {role: list(places(role, (3, 3), 6, 8)) for role in ROLES}
    assert found == {
        "begin": [0],
        "before": [1, 2],
        "first": [],
        "middle": [],
        "last": [3],
        "after": [4, 5],
        "end": [6],
        "pads": [7],
    }


def test_a_prompt_that_begins_with_its_subject_has_nothing_before() -> None:
    assert list(places("begin", (0, 1), 2, 4)) == []
    assert list(places("before", (0, 1), 2, 4)) == []
    assert list(places("before", (1, 2), 3, 4)) == []


def test_the_places_of_real_prompts_are_shared_out_in_every_family() -> None:
    for family in FAMILIES:
        loaded = model(family)
        for tower in loaded.towers:
            tokens = loaded.tokens(tower)
            for pair in PAIRS:
                span = tokens.subject_span(pair.source, pair.subject)
                end = tokens.eos_position(pair.source)
                found = [
                    one for role in ROLES for one in places(role, span, end, tokens.max_length)
                ]
                assert found == list(range(tokens.max_length))
                assert len(tokens.padded(pair.source)) == tokens.max_length
