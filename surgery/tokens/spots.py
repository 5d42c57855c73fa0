"""Spots: every place an edit asks for, found in its prompts and put side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.edits.base import Ask, Asks, Context
from surgery.tokens.aligned import aligned
from surgery.tokens.prompts import Prefix, Tokens


@dataclass(frozen=True, slots=True)
class Spots:
    """All places an edit asks for, each as a prefix, in the rows of the Context to be made."""

    keys: tuple[Prefix, ...]
    targets: tuple[Prefix, ...]
    preserve: tuple[Prefix, ...]
    key_labels: tuple[str, ...]
    preserve_labels: tuple[str, ...]
    key_weights: tuple[float, ...]
    preserve_weights: tuple[float, ...]
    amounts: tuple[float | None, ...]

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """Keys, targets and preserve keys, one after the other."""
        return self.keys + self.targets + self.preserve

    def context(self, states: NDArray[np.float64]) -> Context:
        """The same places with their states, given in the order of `prefixes`."""
        count = len(self.keys)
        keys, targets = states[:count], states[count : 2 * count].copy()
        for row, amount in enumerate(self.amounts):
            if amount is not None:
                targets[row] = keys[row] + amount * targets[row]
        return Context(
            keys=keys,
            targets=targets,
            preserve=states[2 * count :],
            key_labels=self.key_labels,
            preserve_labels=self.preserve_labels,
            key_weights=np.array(self.key_weights),
            preserve_weights=np.array(self.preserve_weights),
        )


def spots(asks: Asks, tokens: Tokens) -> Spots:
    """Find the asked places; a preserve place is kept once, and not where the edit is.

    Raises:
        EditError: a prompt is too long for the model, unless it is optional, or lacks its subject.
    """
    edited = [(*line, *pair) for pair in asks.edited for line in aligned(*pair, tokens)]
    taken = {key for key, *_ in edited}
    held: dict[Prefix, Ask] = {}
    for ask in asks.preserve:
        if ask.optional and not tokens.fits(ask.prompt):
            continue
        for prefix in tokens.prefixes(ask):
            if prefix not in taken:
                held.setdefault(prefix, ask)
    return Spots(
        keys=tuple(key for key, *_ in edited),
        targets=tuple(target for _, target, *_ in edited),
        preserve=tuple(held),
        key_labels=tuple(_label(ask) for _, _, ask, _ in edited),
        preserve_labels=tuple(_label(ask) for ask in held.values()),
        key_weights=tuple(ask.weight for _, _, ask, _ in edited),
        amounts=tuple(goal.amount for *_, goal in edited),
        preserve_weights=tuple(ask.weight for ask in held.values()),
    )


def _label(ask: Ask) -> str:
    return ask.subject or ask.prompt or "the empty prompt"
