"""Figures of an edit at the level of weights: leak, drift, what rounding left. Opens no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from surgery.edits.base import Context, Edit, Matrix
from surgery.edits.templates import target_of
from surgery.errors import EditError
from surgery.layout import Site
from surgery.numerics.stats import drift, leak
from surgery.recipe import Expect
from surgery.report import Drift, EditedTensor, Gate, Leak, Spread

COARSE = 0.1
"""Share of a change that rounding may take before it is worth a warning."""

BLOCKED = 0.01
"""Share of a key that the preserve keys leave free, below which an edit can hardly reach it."""


@dataclass(frozen=True, slots=True, eq=False)
class SolvedEdit:
    """One edit with what it was solved from.

    Args:
        number: its place in the recipe, from 0.
        before: site -> (out, in), the weight that the edit found.
    """

    number: int
    edit: Edit
    context: Context
    before: Mapping[Site, Matrix]


@runtime_checkable
class Constrained(Protocol):
    """An edit that can tell how much room its preserve keys leave."""

    def feasibility(self, context: Context) -> Matrix:
        """(n,), the share of each edited key that is free."""
        ...


def leaks(solved: SolvedEdit, after: Mapping[Site, Matrix]) -> tuple[Leak, ...]:
    """How far each concept still is from its target, over its keys and the edited sites.

    Args:
        after: site -> (out, in), the weight as it is stored now.
    """
    context, found = solved.context, []
    targets = _targets(solved.edit)
    old, new = _leaks(solved, solved.before), _leaks(solved, after)
    for concept, rows in _groups(context.key_labels).items():
        target = targets.get(concept, "")
        before, now = _spread(old[:, rows]), _spread(new[:, rows])
        found.append(Leak(solved.number, concept, target, before, now))
    return tuple(found)


def drifts(solved: SolvedEdit, after: Mapping[Site, Matrix]) -> tuple[Drift, ...]:
    """How far each preserved prompt moved, over its keys and the edited sites."""
    context = solved.context
    each = [drift(w, after[site], context.preserve) for site, w in solved.before.items()]
    moved = np.stack(each)
    return tuple(
        Drift(solved.number, prompt, _spread(moved[:, rows]))
        for prompt, rows in _groups(context.preserve_labels).items()
    )


def residual(solved: SolvedEdit, after: Mapping[Site, Matrix]) -> float:
    """The largest leak over all keys."""
    found = _leaks(solved, after)
    return _spread(found).max if found.size else 0.0


def blocked(solved: SolvedEdit) -> Iterator[str]:
    """A sentence for each concept that what is preserved hardly lets go."""
    if not isinstance(solved.edit, Constrained):
        return
    free = solved.edit.feasibility(solved.context)
    for concept, rows in _groups(solved.context.key_labels).items():
        if (share := float(np.median(free[rows]))) < BLOCKED:
            yield (
                f"edits[{solved.number}]: what is preserved leaves {share:.2g} of '{concept}' free;"
                " look at its leak"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """One tensor before, as solved, and as stored; all of one shape."""

    before: NDArray[np.floating]
    solved: NDArray[np.float64]
    stored: NDArray[np.floating]

    def figures(self, name: str, dtype: str, rank: int | None) -> EditedTensor:
        """What the edits did to the tensor once it was rounded to its stored type."""
        before = self.before.astype(np.float64)
        wanted = float(np.linalg.norm(self.solved - before))
        size = float(np.linalg.norm(before))
        lost = float(np.linalg.norm(self.stored - self.solved))
        return EditedTensor(
            name=name,
            dtype=dtype,
            shape=tuple(self.before.shape),
            rank=rank,
            relative_norm=float(np.linalg.norm(self.stored - before)) / size if size else 0.0,
            changed=float(np.mean(self.stored != self.before)),
            lost=lost / wanted if wanted else 0.0,
        )


def coarse(tensor: EditedTensor) -> str | None:
    """A sentence where the stored type is too coarse for the change."""
    if tensor.lost <= COARSE:
        return None
    return f"rounding to {tensor.dtype} takes {tensor.lost:.0%} of the change of {tensor.name}"


def gates(expect: Expect, found: Sequence[Leak], moved: Sequence[Drift]) -> tuple[Gate, ...]:
    """The recipe's limits on leak and drift against the largest figures."""
    checked = []
    if expect.leak is not None:
        worst = max((entry.after.max for entry in found), default=0.0)
        checked.append(_limit("leak", expect.leak.max, worst))
    if expect.drift is not None:
        worst = max((entry.figure.max for entry in moved), default=0.0)
        checked.append(_limit("drift", expect.drift.max, worst))
    return tuple(checked)


def _limit(name: str, limit: float, found: float) -> Gate:
    return Gate(name, f"at most {limit:g}", f"{found:.3g}", found <= limit)


def _groups(labels: Sequence[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(label, []).append(row)
    return groups


def _leaks(solved: SolvedEdit, after: Mapping[Site, Matrix]) -> Matrix:
    """(sites, n), the leak of every key at every site, found for all keys at once."""
    context = solved.context
    each = [leak(w, after[s], context.keys, context.targets) for s, w in solved.before.items()]
    return np.stack(each)


def _spread(figures: Matrix) -> Spread:
    if not np.isfinite(figures).all():
        raise EditError("a prompt has no output to compare with", hint="the model is damaged")
    return Spread.of(figures.ravel().tolist())


def _targets(edit: Edit) -> dict[str, str]:
    """Concept -> target, where the edit has such a list."""
    return {concept.erase: target_of(concept) for concept in getattr(edit, "concepts", ())}
