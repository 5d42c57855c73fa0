"""One sentence that says what a diff found. Words only; reads no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from surgery.anatomy import COMPONENT_WORDS, component_of
from surgery.report import TensorChange
from surgery.store.text import visible

_MOST = 0.9
"""Share of a component's tensors beyond which it counts as replaced."""


def verdict(changes: Sequence[TensorChange], before: Mapping[str, object]) -> str:
    """What a reader would say of these changes.

    Args:
        changes: the tensors that differ.
        before: every tensor of the first checkpoint, by name.
    """
    if not changes:
        return "every tensor is bit-identical"
    kinds = {change.change for change in changes}
    names = {change.name for change in changes}
    if not names & before.keys():
        return f"{_count(len(changes), 'tensor')} added"
    if kinds <= {"added", "removed"} and _gone(changes) == len(before):
        return "no tensor name in common"
    if kinds == {"dtype"}:
        return _types(changes)
    if kinds == {"values"}:
        return _values(changes, before)
    counts = Counter(change.change for change in changes)
    words = {"dtype": "with another type", "shape": "with another shape", "values": "changed"}
    return ", ".join(f"{_count(n, 'tensor')} {words.get(kind, kind)}" for kind, n in counts.items())


def _gone(changes: Sequence[TensorChange]) -> int:
    return sum(change.change == "removed" for change in changes)


def _types(changes: Sequence[TensorChange]) -> str:
    targets = sorted({change.after.split()[0] for change in changes})
    saved = "weights" if len(changes) > 1 else "weight"
    if all(change.changed_entries == 0 for change in changes):
        return f"same {saved} saved as {' and '.join(targets)}"
    return f"{_count(len(changes), 'tensor')} saved as {' and '.join(targets)} with other values"


def _values(changes: Sequence[TensorChange], before: Mapping[str, object]) -> str:
    sizes = Counter(component_of(name) for name in before)
    touched = Counter(component_of(change.name) for change in changes)
    parts = []
    for component, count in touched.items():
        mine = [change for change in changes if component_of(change.name) == component]
        whole = len(sizes) > 1 and count > 1 and count >= _MOST * sizes[component]
        parts.append(_part(mine, component, replaced=whole))
    return "; ".join(parts)


def _part(changes: Sequence[TensorChange], component: str, *, replaced: bool) -> str:
    words = COMPONENT_WORDS.get(component, f"'{visible(component)}'" if component else "the file")
    ranks = [change.rank for change in changes if change.rank is not None]
    small = len(ranks) == len(changes)
    if replaced and not small:
        return f"{words.removeprefix('the ')} replaced"
    if len(changes) == 1:
        return f"one {f'rank-{ranks[0]} ' if small else ''}change in {words}"
    rank = f" of rank {max(ranks)} or less" if small else ""
    return f"{len(changes)} changes{rank} in {words}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
