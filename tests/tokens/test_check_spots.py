from __future__ import annotations

from collections import Counter

import pytest

from surgery.edits.base import Ask, Position
from surgery.edits.checks import Check
from surgery.tokens import Tokens
from surgery.tokens.check_spots import MOST, OWN, CheckSpots, check_spots

BEGIN, END = 0, 1
TARGET = Ask("art", "art", "subject")
PLACES: tuple[Position, ...] = ("subject", "eos")
TEMPLATES = ("{}", "by {}", "like {}", "of {}", "as {}")


@pytest.fixture
def tokens() -> Tokens:
    ids: dict[str, int] = {}
    return Tokens(
        lambda text: [ids.setdefault(word, len(ids) + 2) for word in text.split()],
        BEGIN,
        END,
        END,
        max_length=8,
    )


def checks(names: int, **others: int) -> list[Check]:
    """Every name in five templates at two places, and so many places of other wordings."""
    own = [
        Check("prompts", f"n{n}", Ask(text.format(f"n{n}"), f"n{n}", place), TARGET)
        for n in range(names)
        for text in TEMPLATES
        for place in PLACES
    ]
    rest = [
        Check(wording, "n0", Ask(f"{wording} {n}", None, "eos"), TARGET)
        for wording, count in others.items()
        for n in range(count)
    ]
    return [*own, *rest]


def wordings(found: CheckSpots) -> Counter[str]:
    return Counter(check.wording for check in found.checks)


def test_a_few_are_all_looked_at_in_their_order(tokens: Tokens) -> None:
    given = checks(10, languages=5)
    assert list(check_spots(given, [], tokens).checks) == given


@pytest.mark.parametrize("names", [1300, 1734])
def test_of_many_names_each_template_and_place_is_looked_at(tokens: Tokens, names: int) -> None:
    """A fixed step is a multiple of the ten places of a name, or meets them in turn."""
    found = check_spots(checks(names), [], tokens)
    spots = Counter(
        (check.source.prompt.replace(check.concept, "{}"), check.source.position)
        for check in found.checks
    )
    assert MOST - 150 <= len(found.checks) <= MOST
    assert len(spots) == len(TEMPLATES) * len(PLACES)
    assert min(spots.values()) > len(found.checks) / 20
    assert len({check.concept for check in found.checks}) > 900


def test_a_small_wording_is_not_lost_among_many_prompts(tokens: Tokens) -> None:
    found = wordings(check_spots(checks(1734, languages=40, padding=5000), [], tokens))
    assert found["languages"] == 40
    assert OWN - 100 <= found["prompts"] <= OWN
    assert 400 <= found["padding"] <= 460


def test_what_other_wordings_leave_goes_to_the_own_prompts(tokens: Tokens) -> None:
    found = wordings(check_spots(checks(1734, languages=40), [], tokens))
    assert found["prompts"] > 1300


def test_always_the_same_ones_are_looked_at(tokens: Tokens) -> None:
    given = checks(500, padding=700)
    assert check_spots(given, [], tokens) == check_spots(given, [], tokens)


def test_nothing_to_look_at_gives_nothing(tokens: Tokens) -> None:
    assert check_spots([], [], tokens).prefixes == ()
