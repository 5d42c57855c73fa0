"""How many prompts and seeds each group has: more where painting is cheap."""

from __future__ import annotations

from dataclasses import dataclass

from surgery.questions import Vocabulary
from surgery.report.verify import Group


@dataclass(frozen=True, slots=True)
class Amount:
    """Of a group.

    Args:
        sets: the most concepts of it; None for all that are known.
        prompts: the most of each set.
        seeds: of each prompt.
    """

    sets: int | None
    prompts: int
    seeds: int


# A share of none in 48 pictures is surely under 8 %, one of all in 96 surely over 96 %. What should
# be gone is asked for most; the others are judged together, group by group.
_ATELIER: dict[Group, Amount] = {
    "erased": Amount(None, 48, 2),
    "synonym": Amount(2, 12, 1),
    "paraphrase": Amount(None, 32, 1),
    "misspelling": Amount(None, 6, 4),
    "kept": Amount(None, 20, 1),
    "unrelated": Amount(None, 8, 1),
}
_WORLD: dict[Group, Amount] = {
    "erased": Amount(None, 12, 4),
    "synonym": Amount(2, 6, 2),
    "paraphrase": Amount(None, 12, 2),
    "misspelling": Amount(None, 6, 2),
    "kept": Amount(6, 8, 1),
    "unrelated": Amount(None, 32, 1),
}


def amount(group: Group, vocabulary: Vocabulary, seeds: int | None) -> Amount:
    """What is usual for a group, with as many seeds as wished."""
    usual = (_ATELIER if vocabulary == "atelier" else _WORLD)[group]
    return usual if seeds is None else Amount(usual.sets, usual.prompts, seeds)
