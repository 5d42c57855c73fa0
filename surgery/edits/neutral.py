"""Neutral prompts: what most people ask for, and no edit is about. Drift is measured on them.

They stand in `neutral.txt`, one on each line, and name no artist, person or trademark. An edit is
never solved on them: they share no prompt with the templates or with what is preserved.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from surgery.edits.names import within, words

_BANK = Path(__file__).with_name("neutral.txt")


@cache
def neutral_prompts() -> tuple[str, ...]:
    """All prompts of the bank, always in the same order."""
    return tuple(_BANK.read_text(encoding="utf-8").splitlines())


def prompts_without(names: Iterable[str]) -> tuple[str, ...]:
    """The prompts of the bank that hold none of these names."""
    bank = {text: words(text) for text in neutral_prompts()}
    used = {word for split in bank.values() for word in split}
    barred = [name for name in map(words, names) if name and used.issuperset(name)]
    return tuple(text for text, split in bank.items() if not _holds(split, barred))


def _holds(split: tuple[str, ...], barred: Iterable[tuple[str, ...]]) -> bool:
    return any(within(name, split) for name in barred)
