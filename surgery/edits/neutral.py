"""Neutral prompts: what most people ask for, and no edit is about. Drift is measured on them.

They stand in `neutral.txt`, one on each line, and name no artist, person or trademark. An edit is
never solved on them: they share no prompt with the templates or with what is preserved.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_BANK = Path(__file__).with_name("neutral.txt")


@cache
def neutral_prompts() -> tuple[str, ...]:
    """All prompts of the bank, always in the same order."""
    return tuple(_BANK.read_text(encoding="utf-8").splitlines())
