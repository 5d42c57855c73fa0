"""Checks: what an edit is measured on, beside what it was solved on. Values only.

A check is another way to ask for an erased concept, or a prompt that has nothing to do with it.
None of them enters a solve.
"""

from __future__ import annotations

from dataclasses import dataclass

from surgery.edits.base import Ask, Matrix


@dataclass(frozen=True, slots=True)
class Check:
    """One place where an erased concept may still be told from its target.

    Args:
        wording: how it is asked for: `prompts` (the edit's own), `misspellings`, ...
        concept: which concept.
        source: the place to look at.
        target: the place whose output it should have.
    """

    wording: str
    concept: str
    source: Ask
    target: Ask


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """The states of all checks, as the edited matrices read them; rows are keys.

    Args:
        keys: (n, in), at the sources' places.
        targets: (n, in), at the targets' places, row by row.
        wordings: (n,).
        concepts: (n,).
        neutral: (m, in), states of prompts that have nothing to do with the edit.
        neutral_labels: (m,), the prompt of each.
    """

    keys: Matrix
    targets: Matrix
    wordings: tuple[str, ...]
    concepts: tuple[str, ...]
    neutral: Matrix
    neutral_labels: tuple[str, ...]
