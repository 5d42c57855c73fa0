"""Tensor changes summed up by block of the network: `unet/down_blocks.1`, `...encoder.layers.3`.

Names and figures only; opens nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt

from surgery.report import BlockChange, TensorChange

_NUMBERED = re.compile(r".*?\.\d+(?=\.)")


def block_of(name: str) -> str:
    """The block a tensor stands in: its name up to the first number, or without its last part."""
    found = _NUMBERED.match(name)
    return found[0] if found else name.rpartition(".")[0] or name


def by_block(changes: Sequence[TensorChange], names: Iterable[str]) -> tuple[BlockChange, ...]:
    """Sum up changed values by block, in the order of `names`.

    Args:
        names: every tensor that both checkpoints have.
    """
    there = Counter(block_of(name) for name in names)
    groups: dict[str, list[TensorChange]] = {}
    for change in changes:
        if change.change in ("values", "dtype"):
            groups.setdefault(block_of(change.name), []).append(change)
    return tuple(_summed(block, groups[block], there[block]) for block in there if block in groups)


def _summed(block: str, changes: Sequence[TensorChange], of: int) -> BlockChange:
    norms = [(c.relative_norm, c.norm) for c in changes]
    known = [(relative, norm) for relative, norm in norms if relative is not None and norm]
    base = sum(norm * norm for _, norm in known)
    moved = sum((relative * norm) ** 2 for relative, norm in known)
    largest = [change.max_abs for change in changes if change.max_abs is not None]
    return BlockChange(
        block=block,
        tensors=len(changes),
        of=of,
        relative_norm=sqrt(moved / base) if base and len(known) == len(changes) else None,
        max_abs=max(largest) if len(largest) == len(changes) else None,
    )
