"""The places of checks: what the model cannot read, or what hides the name, is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.edits.base import Ask
from surgery.edits.checks import Check, Checked
from surgery.errors import EditError
from surgery.tokens.aligned import aligned
from surgery.tokens.prompts import Prefix, Tokens

MOST = 1500
"""Places of checks that are measured at all; of more, every so manieth."""


@dataclass(frozen=True, slots=True)
class CheckSpots:
    """The places of all checks, each as a prefix, in the rows of the Checked to be made."""

    keys: tuple[Prefix, ...]
    targets: tuple[Prefix, ...]
    checks: tuple[Check, ...]
    neutral: tuple[Prefix, ...]
    neutral_labels: tuple[str, ...]

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """Keys, targets and neutral places, one after the other."""
        return self.keys + self.targets + self.neutral

    def checked(self, states: NDArray[np.float64]) -> Checked:
        """The same places with their states, given in the order of `prefixes`."""
        count = len(self.keys)
        return Checked(
            keys=states[:count],
            targets=states[count : 2 * count],
            wordings=tuple(check.wording for check in self.checks),
            concepts=tuple(check.concept for check in self.checks),
            neutral=states[2 * count :],
            neutral_labels=self.neutral_labels,
        )


def check_spots(checks: Sequence[Check], neutral: Sequence[Ask], tokens: Tokens) -> CheckSpots:
    """Find the places of checks and of neutral prompts."""
    lines = [line for check in checks for line in _lines(check, tokens)]
    lines = lines[:: -(-len(lines) // MOST)] if lines else lines
    far = {
        prefix: ask.prompt
        for ask in neutral
        if tokens.fits(ask.prompt)
        for prefix in tokens.prefixes(ask)
    }
    return CheckSpots(
        keys=tuple(key for key, _, _ in lines),
        targets=tuple(target for _, target, _ in lines),
        checks=tuple(check for _, _, check in lines),
        neutral=tuple(far),
        neutral_labels=tuple(far.values()),
    )


def _lines(check: Check, tokens: Tokens) -> Iterator[tuple[Prefix, Prefix, Check]]:
    try:
        pairs = list(aligned(check.source, check.target, tokens))
    except EditError:
        return
    # A place that is its own target has nothing to leave behind.
    yield from ((key, goal, check) for key, goal in pairs if key != goal)
