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
    if kinds == {"dtype"} and not _replaced(changes, before):
        return _types(changes)
    if kinds <= {"values", "dtype"} and not _only_saved(changes):
        return _values(changes, before)
    if len(kinds) == 1 and (whole := _whole_parts(changes, before)):
        return whole
    counts = Counter(change.change for change in changes)
    words = {"dtype": "with another type", "shape": "with another shape", "values": "changed"}
    return ", ".join(f"{_count(n, 'tensor')} {words.get(kind, kind)}" for kind, n in counts.items())


def sameness(*, reordered: bool, metadata: bool, files: bool) -> str:
    """What a reader would say of two checkpoints whose tensors are all equal."""
    differ = [word for word, found in (("metadata", metadata), ("other files", files)) if found]
    order = ", in another order" if reordered else ""
    beside = f"; {' and '.join(differ)} differ{'s' * (not files)}" if differ else ""
    return f"every tensor is bit-identical{order}{beside}"


def _replaced(changes: Sequence[TensorChange], before: Mapping[str, object]) -> bool:
    """Whether all values of a part are other ones, whatever type they are saved as."""
    other = [change for change in changes if change.changed_entries != 0]
    return bool(other) and "replaced" in _values(other, before)


def _only_saved(changes: Sequence[TensorChange]) -> bool:
    """Whether some tensors are the same weights saved as another type."""
    return any(change.change == "dtype" and change.changed_entries == 0 for change in changes)


def _whole_parts(changes: Sequence[TensorChange], before: Mapping[str, object]) -> str:
    """`EMA copy removed`, where whole parts are; '' where only pieces of one are."""
    (kind,) = {change.change for change in changes}
    touched = Counter(component_of(change.name) for change in changes)
    sizes = Counter(component_of(name) for name in before)
    if kind not in ("added", "removed") or "" in touched:
        return ""
    if any(part in sizes if kind == "added" else touched[part] < sizes[part] for part in touched):
        return ""
    return ", ".join(f"{_words(part).removeprefix('the ')} {kind}" for part in touched)


def _words(component: str) -> str:
    return COMPONENT_WORDS.get(component, f"'{visible(component)}'" if component else "the file")


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
    words = _words(component)
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
