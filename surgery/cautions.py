"""Sentences for people about what may have gone wrong without being an error. Opens no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from surgery.edits.base import Context, Matrix
from surgery.figures import SolvedEdit

BLOCKED = 0.01
"""Share of a key that the preserve keys leave free, below which an edit can hardly reach it."""


@runtime_checkable
class Constrained(Protocol):
    """An edit that can tell how much room its preserve keys leave."""

    def feasibility(self, context: Context) -> Matrix:
        """(n,), the share of each edited key that is free."""
        ...


def blocked(solved: SolvedEdit) -> Iterator[str]:
    """A sentence for each concept that what is preserved hardly lets go."""
    if not isinstance(solved.edit, Constrained):
        return
    free = solved.edit.feasibility(solved.context)
    for concept, rows in _rows(solved.context.key_labels).items():
        if (share := float(np.median(free[rows]))) < BLOCKED:
            yield (
                f"edits[{solved.number}]: what is preserved leaves {share:.2g} of '{concept}' free;"
                " look at its leak"
            )


def _rows(labels: Sequence[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(label, []).append(row)
    return groups
