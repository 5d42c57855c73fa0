"""debias: find how much of each attribute to add to a concept, by counting pictures.

Painting and judging are passed in; nothing here knows a model or a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from surgery.edits.debias import Debias
from surgery.edits.uce import Uce
from surgery.errors import UsageError
from surgery.recipe import Recipe
from surgery.report import Report

ROUNDS, CLOSE = 30, 0.05

Counts = Mapping[str, Sequence[int]]
"""Concept -> how many pictures show each of its attributes."""

Observe = Callable[[Recipe], Counts]
"""Paints with the model that a recipe makes, and counts."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How the pictures of one concept are spread over its attributes.

    Args:
        amounts: how much of each was added.
        shares: of the pictures that show one of them, the share of each (0 to 1).
        count: how many pictures show one.
    """

    concept: str
    attributes: tuple[str, ...]
    wanted: tuple[float, ...]
    amounts: tuple[float, ...]
    shares: tuple[float, ...]
    count: int

    @property
    def off(self) -> float:
        """The largest difference between a share and the wanted one."""
        pairs = zip(self.shares, self.wanted, strict=True)
        return max(abs(share - wanted) for share, wanted in pairs)


@dataclass(frozen=True, slots=True)
class DebiasReport(Report):
    """What was tried, round by round, and which round is kept."""

    kind: ClassVar[str] = "debias"

    recipe: str
    rounds: tuple[tuple[Balance, ...], ...]
    kept: int

    @property
    def best(self) -> tuple[Balance, ...]:
        return self.rounds[self.kept]


def find_amounts(
    recipe: Recipe,
    observe: Observe,
    *,
    rounds: int = ROUNDS,
    close: float = CLOSE,
    on_round: Callable[[tuple[Balance, ...]], None] = lambda balances: None,
) -> tuple[Recipe, DebiasReport]:
    """The recipe with the amounts whose pictures came nearest to the wanted shares.

    Each round paints, counts, and adds to every amount what its share lacks; half as much after
    each time that it went too far, since few pictures tell a share only roughly.

    Args:
        observe: paints with the model that a recipe makes, and counts.
        close: stop where no share is further than this from the wanted one.

    Raises:
        UsageError: the recipe debiases nothing, or no picture shows any attribute.

    Source: Gandikota et al. 2024, arXiv 2308.14761, section 4.3: at most 30 rounds, until 0.05.
    """
    if not any(_debiased(recipe)):
        raise UsageError(f"{recipe.name} has no uce edit with debias", hint="add what to balance")
    seen: list[tuple[Balance, ...]] = []
    tried: list[Recipe] = []
    for _ in range(rounds):
        balances = _balances(recipe, observe(recipe))
        seen.append(balances)
        tried.append(recipe)
        on_round(balances)
        if _off(balances) <= close:
            break
        recipe = _corrected(recipe, _steps(seen))
    kept = min(range(len(seen)), key=lambda number: _off(seen[number]))
    return tried[kept], DebiasReport(tried[kept].name, tuple(seen), kept)


def _debiased(recipe: Recipe) -> Iterator[Debias]:
    for edit in recipe.edits:
        if isinstance(edit, Uce):
            yield from edit.debias


def _balances(recipe: Recipe, counts: Counts) -> tuple[Balance, ...]:
    return tuple(_balance(one, counts[one.concept]) for one in _debiased(recipe))


def _balance(one: Debias, counts: Sequence[int]) -> Balance:
    total = sum(counts)
    if not total:
        raise UsageError(
            f"no picture of '{one.concept}' shows any of {', '.join(one.attributes)}",
            hint="name attributes that the model can show",
        )
    shares = tuple(count / total for count in counts)
    return Balance(one.concept, one.attributes, one.wanted, one.added, shares, total)


def _off(balances: Sequence[Balance]) -> float:
    return max(one.off for one in balances)


def _steps(seen: Sequence[Sequence[Balance]]) -> Mapping[str, tuple[float, ...]]:
    """What is added to the amounts of each concept next."""
    steps = {}
    for past in zip(*seen, strict=True):
        lacks = [_lack(one) for one in past]
        turns = sum(_went_too_far(*pair) for pair in pairwise(lacks))
        steps[past[0].concept] = tuple(lack / 2**turns for lack in lacks[-1])
    return steps


def _lack(one: Balance) -> tuple[float, ...]:
    pairs = zip(one.wanted, one.shares, strict=True)
    return tuple(wanted - share for wanted, share in pairs)


def _went_too_far(before: Sequence[float], after: Sequence[float]) -> bool:
    return sum(old * new for old, new in zip(before, after, strict=True)) < 0


def _corrected(recipe: Recipe, steps: Mapping[str, Sequence[float]]) -> Recipe:
    edits = tuple(
        edit.model_copy(update={"debias": tuple(_next(one, steps) for one in edit.debias)})
        if isinstance(edit, Uce)
        else edit
        for edit in recipe.edits
    )
    return recipe.model_copy(update={"edits": edits})


def _next(one: Debias, steps: Mapping[str, Sequence[float]]) -> Debias:
    pairs = zip(one.added, steps[one.concept], strict=True)
    return one.model_copy(update={"amounts": tuple(round(old + step, 4) for old, step in pairs)})
