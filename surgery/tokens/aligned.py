"""Which place of one prompt answers to which place of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surgery.edits.base import Ask
from surgery.tokens.prompts import Prefix, Tokens


def aligned(source: Ask, target: Ask, tokens: Tokens) -> Iterator[tuple[Prefix, Prefix]]:
    """Each asked place of the source with its place in the target, both as prefixes.

    Where no other rule is asked for, places are counted from the last token of the subject, and
    the target's nearest one serves where it has no such place.

    Raises:
        EditError: a prompt is too long for the model, or lacks its subject.
    """
    keys = tokens.prefixes(source)
    if target.position in ("same", "match"):
        filled = tokens.padded(target.prompt)
        pick = _same if target.position == "same" else _matched
        yield from zip(keys, pick(keys, filled), strict=True)
        return
    goals = tokens.prefixes(target) or (tokens.encode(target.prompt),)
    shift = tokens.lead(target) - tokens.lead(source)
    for number, key in enumerate(keys):
        yield key, goals[min(max(number + shift, 0), len(goals) - 1)]


def _same(keys: Sequence[Prefix], filled: Prefix) -> Iterator[Prefix]:
    """The place as far from the begin of the prompt."""
    for key in keys:
        yield filled[: len(key)]


def _matched(keys: Sequence[Prefix], filled: Prefix) -> Iterator[Prefix]:
    """The next place with the same token, and the last place of all for a token without one."""
    place = 0
    for key in keys:
        if key[-1] in filled[place:]:
            place = filled.index(key[-1], place) + 1
            yield filled[:place]
        else:
            yield filled
