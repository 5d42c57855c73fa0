"""The places of checks: what the model cannot read, or what hides the name, is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.edits.base import Ask
from surgery.edits.checks import Check, Checked
from surgery.errors import EditError
from surgery.tokens.aligned import aligned
from surgery.tokens.prompts import Prefix, Tokens

Line = tuple[Prefix, Prefix, Check]

MOST = 1500
"""Places of checks that are measured at all; of more, some of each wording."""

OWN = 1000
"""How many of them are of the first wording, the edit's own prompts; the others share the rest."""


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
    lines = _some([line for check in checks for line in _lines(check, tokens)])
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


def _some(lines: list[Line]) -> list[Line]:
    """All lines, or of too many some of each wording, taken from everywhere among them."""
    if len(lines) <= MOST:
        return lines
    groups: dict[str, list[int]] = {}
    for row, (_, _, check) in enumerate(lines):
        groups.setdefault(check.wording, []).append(row)
    counts = _counts({wording: len(rows) for wording, rows in groups.items()})
    # Concepts take turns with templates: a fixed step may meet the same one of each concept.
    chance = np.random.default_rng(0)
    chosen: set[int] = set()
    for wording, count in counts.items():
        rows = groups[wording]
        places = (np.arange(count) + chance.random(count)) * len(rows) / count
        chosen.update(rows[place] for place in places.astype(int))
    return [lines[row] for row in sorted(chosen)]


def _counts(sizes: Mapping[str, int]) -> dict[str, int]:
    """How many of each wording; what a small one leaves goes to the others."""
    own, *others = sizes
    rest = sum(sizes[wording] for wording in others)
    counts = {own: min(sizes[own], max(OWN, MOST - rest))}
    left = MOST - counts[own]
    for number, wording in enumerate(sorted(others, key=sizes.__getitem__)):
        counts[wording] = min(sizes[wording], left // (len(others) - number))
        left -= counts[wording]
    return counts


def _lines(check: Check, tokens: Tokens) -> Iterator[Line]:
    try:
        pairs = list(aligned(check.source, check.target, tokens))
    except EditError:
        return
    # A place that is its own target has nothing to leave behind.
    yield from ((key, goal, check) for key, goal in pairs if key != goal)
