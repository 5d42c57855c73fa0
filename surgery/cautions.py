"""Sentences for people about what may have gone wrong without being an error. Opens no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from surgery.edits.base import Context, Matrix
from surgery.edits.templates import target_of
from surgery.figures import SolvedEdit
from surgery.numerics.conflicts import BLOCKED, Labelled, conflicts, inside, rivals

MOST = 5
"""Conflicts of one sort that are named."""

ALIKE = 0.98
"""Cosine, less the mean of prompts in general, from which two names are hardly told apart."""


@runtime_checkable
class Constrained(Protocol):
    """An edit that can tell how much room its preserve keys leave."""

    def feasibility(self, context: Context) -> Matrix:
        """(n,), the share of each edited key that is free."""
        ...


def cautions(solved: SolvedEdit) -> Iterator[str]:
    """What contradicts itself in an edit: each a sentence, with the names and the figure."""
    where = f"edits[{solved.number}]"
    yield from _amplified(where, solved)
    yield from _parallel(where, solved)
    yield from _blocked(where, solved)


def _amplified(where: str, solved: SolvedEdit) -> Iterator[str]:
    """What makes a concept stronger could make any: whoever gets the result is to know."""
    if getattr(solved.edit, "goal", None) == "amplify":
        names = ", ".join(f"'{one.erase}'" for one in getattr(solved.edit, "concepts", ()))
        yield f"{where}: amplifies {names}: what the model was made to hold back comes back so too"


def _parallel(where: str, solved: SolvedEdit) -> Iterator[str]:
    """Concepts that the states hardly tell from what the recipe names to hold, or from each other.

    The built-in set is not named here: it is for everything at once, and its drift is reported.
    """
    context, centre = solved.context, _centre(solved)
    edited = Labelled(context.keys, context.key_labels, context.key_weights)
    named = set(getattr(solved.edit, "preserve", ()))
    rows = [row for row, label in enumerate(context.preserve_labels) if label in named]
    held = Labelled(context.preserve[rows], [context.preserve_labels[row] for row in rows])
    for pair in conflicts(edited, held, centre, threshold=ALIKE, top=MOST):
        yield (
            f"{where}: '{pair.first}' is erased and '{pair.second}' preserved, and the model hardly"
            f" tells them apart (cosine {pair.cosine:.2f})"
        )
    goals = {one.erase: target_of(one) for one in getattr(solved.edit, "concepts", ())}
    if len(set(goals.values())) > 1 and set(context.key_labels) <= set(goals):
        for pair in rivals(edited, goals, centre, threshold=ALIKE, top=MOST):
            yield (
                f"{where}: '{pair.first}' and '{pair.second}' have different targets, and the model"
                f" hardly tells them apart (cosine {pair.cosine:.2f})"
            )


def _centre(solved: SolvedEdit) -> Matrix:
    """The mean state of prompts in general."""
    neutral = solved.checked.neutral
    return neutral.mean(axis=0) if len(neutral) else np.zeros(solved.context.keys.shape[1])


def _blocked(where: str, solved: SolvedEdit) -> Iterator[str]:
    """Concepts most of whose keys what is preserved does not let go.

    Where less of a key is free than the ridge counts, it keeps more than half of its old output.
    """
    if not isinstance(solved.edit, Constrained):
        return
    ridge = float(getattr(solved.edit, "ridge", BLOCKED))
    free = solved.edit.feasibility(solved.context)
    found = inside(solved.context.key_labels, free, limit=ridge)
    held = [one for one in found if 2 * one.blocked > one.keys]
    for one in held[:MOST]:
        yield (
            f"{where}: what is preserved holds '{one.label}' too: {one.blocked} of its"
            f" {one.keys} keys have less than {ridge:.2g} of them free; look at its leak"
        )
    if more := len(held[MOST:]):
        yield f"{where}: what is preserved holds {more:,} more of the concepts too"
