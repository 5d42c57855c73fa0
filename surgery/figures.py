"""Figures of an edit at the level of weights: what is left of a concept, and what else moved.

A `Meter` is shown one edited site after the other and keeps figures only, no weight; so a model of
any size is measured while it streams by. Opens no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from surgery.edits.base import Context, Edit, Matrix
from surgery.edits.checks import Checked
from surgery.edits.delta import Array, Mapped
from surgery.edits.templates import target_of
from surgery.errors import EditError
from surgery.layout import Site
from surgery.numerics.adversarial import gram_of, worst_leak
from surgery.numerics.conflicts import Labelled
from surgery.numerics.neighbours import nearest
from surgery.numerics.stats import drift, leak
from surgery.report import Drift, Leak, Moved, SiteFigure, Spread

MOST_MOVED = 5
"""Prompts of a group that are named in a report."""

NEIGHBOURS = 8
"""Preserved prompts per concept that count as its neighbours."""

Label = TypeVar("Label")

BY_SCORE = "score"
"""The wording of what is left by score, where an edit is solved on scores and not on prompts."""

OWN = ("prompts", "pooled path", BY_SCORE)
"""The wordings that an edit is solved on."""

WORST = "worst case"
"""The wording of embeddings, of no words, that best bring a concept's old outputs back."""

WIDEST = 1280
"""Width of states up to which it is measured; what it costs grows with the square of that."""

REACH = 0.01
"""How much the length of such an embedding counts, in units of its mean output."""


@dataclass(frozen=True, slots=True, eq=False)
class SolvedEdit:
    """One edit with what it was solved from and what it is measured on.

    Args:
        number: its place in the recipe, from 0.
        sites: those whose weights it changes.
    """

    number: int
    edit: Edit
    context: Context
    checked: Checked
    sites: tuple[Site, ...]


@dataclass(slots=True)
class Meter:
    """Figures of one solved edit, gathered site by site.

    Args:
        left: per site, (n,), the leak of every checked key.
        moved: per site, (m,), the drift of every neutral key and then of every preserved one.
        shared: the one map that all of the edit's sites get, where there is one.
        gram: the sum of W'W over the sites as the edit found them, where that is measured.
    """

    solved: SolvedEdit
    shared: Mapped | None = None
    gram: Matrix | None = None
    sites: list[Site] = field(default_factory=list)
    left: list[Matrix] = field(default_factory=list)
    moved: list[Matrix] = field(default_factory=list)

    def add(self, site: Site, before: Array, after: Array) -> None:
        """Measure one site: its weight as the edit found it, and as it is stored now."""
        checked, context = self.solved.checked, self.solved.context
        moved = [drift(before, after, still) for still in (checked.neutral, context.preserve)]
        self.sites.append(site)
        self.left.append(leak(before, after, checked.keys, checked.targets))
        self.moved.append(np.concatenate(moved))
        if self.shared is not None and before.shape[1] <= WIDEST and len(checked.keys):
            own = gram_of([before])
            self.gram = own if self.gram is None else self.gram + own

    def leaks(self) -> Iterator[Leak]:
        """One row for each concept and wording."""
        checked = self.solved.checked
        left, targets = _stack(self.left), _targets(self.solved.edit)
        pairs = list(zip(checked.concepts, checked.wordings, strict=True))
        for (concept, wording), rows in _groups(pairs).items():
            target = targets.get(concept, "")
            yield Leak(self.solved.number, concept, target, wording, _spread(left[:, rows]))
        yield from self._worst(targets)

    def _worst(self, targets: Mapping[str, str]) -> Iterator[Leak]:
        """One row for each concept: of all sites at once, as solved, before any rounding."""
        checked = self.solved.checked
        rows = [row for row, wording in enumerate(checked.wordings) if wording in OWN]
        if self.gram is None or self.shared is None or not rows:
            return
        edited = self.shared.left, self.shared.right
        left = worst_leak(checked.keys[rows], checked.targets[rows], self.gram, edited, REACH)
        for concept, own in _groups([checked.concepts[row] for row in rows]).items():
            target = targets.get(concept, "")
            yield Leak(self.solved.number, concept, target, WORST, _spread(left[own]))

    def drifts(self) -> Iterator[Drift]:
        """One row for each group of prompts that should have stayed."""
        checked, context = self.solved.checked, self.solved.context
        moved = _stack(self.moved)
        count = len(checked.neutral)
        preserved = moved[:, count:]
        groups = {
            "preserved": (preserved, context.preserve_labels),
            "neighbours": self._near(preserved),
            "neutral": (moved[:, :count], checked.neutral_labels),
        }
        for name, (figures, labels) in groups.items():
            if labels:
                yield self._drift(name, figures, labels)

    def by_site(self) -> Iterator[SiteFigure]:
        """One row for each edited site."""
        own = [row for row, word in enumerate(self.solved.checked.wordings) if word in OWN]
        neutral = range(len(self.solved.checked.neutral))
        for site, left, moved in zip(self.sites, self.left, self.moved, strict=True):
            yield SiteFigure(
                self.solved.number,
                str(site),
                _spread(left[own]) if own else None,
                _spread(moved[neutral]) if neutral else None,
            )

    def _near(self, preserved: Matrix) -> tuple[Matrix, tuple[str, ...]]:
        """The preserved names whose states are nearest to those of the concepts."""
        context, neutral = self.solved.context, self.solved.checked.neutral
        centre = neutral.mean(axis=0) if len(neutral) else np.zeros(context.keys.shape[1])
        keys = Labelled(context.keys, context.key_labels)
        held = Labelled(context.preserve, context.preserve_labels)
        found = nearest(keys, held, centre, top=NEIGHBOURS)
        names = {one.name for near in found.values() for one in near}
        rows = [row for row, label in enumerate(context.preserve_labels) if label in names]
        return preserved[:, rows], tuple(context.preserve_labels[row] for row in rows)

    def _drift(self, group: str, figures: Matrix, labels: Sequence[str]) -> Drift:
        prompts = _groups(labels)
        each = [Moved(prompt, _spread(figures[:, rows])) for prompt, rows in prompts.items()]
        most = sorted(each, key=lambda one: -one.figure.max)[:MOST_MOVED]
        path = "pooled path" if self.solved.edit.states == "pooled" else ""
        return Drift(self.solved.number, group, len(each), _spread(figures), tuple(most), path)


def _groups(labels: Sequence[Label]) -> Mapping[Label, list[int]]:
    groups: dict[Label, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(label, []).append(row)
    return groups


def _stack(figures: Sequence[Matrix]) -> Matrix:
    return np.stack(figures) if figures else np.zeros((0, 0))


def _spread(figures: Matrix) -> Spread:
    if not np.isfinite(figures).all():
        raise EditError("a prompt has no output to compare with", hint="the model is damaged")
    return Spread.of(figures.ravel().tolist())


def _targets(edit: Edit) -> dict[str, str]:
    """Concept -> target, where the edit has such a list."""
    return {concept.erase: target_of(concept) for concept in getattr(edit, "concepts", ())}


def concepts_of(edit: Edit) -> tuple[str, str]:
    """The names of all concepts of an edit, and of what they become."""
    targets = _targets(edit)
    return ", ".join(targets), ", ".join(dict.fromkeys(targets.values()))
