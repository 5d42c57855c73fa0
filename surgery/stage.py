"""Stages: how long work tells whoever watches how far it is. Nothing is shown here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

Advance: TypeAlias = Callable[[int], None]

Stage: TypeAlias = Callable[[str, int], AbstractContextManager[Advance]]
"""A label and a number of steps -> a block whose function is told how many were just done."""


def unwatched(label: str, total: int) -> AbstractContextManager[Advance]:
    """A stage that nobody watches."""
    return nullcontext(lambda done: None)
