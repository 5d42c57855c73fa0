"""Prefixes of prompts as a tree: a prefix that several share is one node. No names, no files.

Walking prefixes in order, each adds a chain of new nodes at the end of a line that is there
already. Chains of one form are kept together, so that they can be worked on side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Prefix = tuple[int, ...]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Chains of one form.

    Args:
        lines: (chains, length), the nodes of each line from the root to the end of its chain.
        shared: how many nodes of each line belong to earlier chains; the others are its own.
    """

    lines: Index
    shared: int


@dataclass(frozen=True, slots=True, eq=False)
class PrefixTree:
    """Every prefix of some prefixes once, each with its last token.

    Args:
        tokens: (nodes,), the last token of each node.
        places: (nodes,), its place in the prompt, from 0.
        chains: every node is in one chain as its own.
        where: a wanted prefix -> its node.
    """

    tokens: Index
    places: Index
    chains: tuple[Chains, ...]
    where: Mapping[Prefix, int]


def trees(prefixes: Sequence[Prefix], most: int) -> Iterator[PrefixTree]:
    """Put prefixes into trees of at most `most` nodes, or one line where that is longer.

    Args:
        prefixes: token ids from the beginning of the prompt to a place, at least one each.
    """
    # From the last to the first, a prefix comes after its extensions and adds no chain of its own.
    growing = _Growing()
    for prefix in sorted(set(prefixes), reverse=True):
        more = len(prefix) - growing.shared(prefix)
        if growing.tokens and len(growing.tokens) + more > most:
            yield growing.tree()
            growing = _Growing()
        growing.add(prefix)
    if growing.tokens:
        yield growing.tree()


@dataclass(slots=True)
class _Growing:
    """A tree to which prefixes are added in order, and the line of the one that came last."""

    tokens: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    where: dict[Prefix, int] = field(default_factory=dict)
    lines: dict[tuple[int, int], list[list[int]]] = field(default_factory=dict)
    last: Prefix = ()
    line: list[int] = field(default_factory=list)

    def shared(self, prefix: Prefix) -> int:
        """How many tokens a prefix has in common with the last one."""
        pairs = zip(self.last, prefix, strict=False)
        least = min(len(self.last), len(prefix))
        return next((place for place, (a, b) in enumerate(pairs) if a != b), least)

    def add(self, prefix: Prefix) -> None:
        shared, node = self.shared(prefix), len(self.tokens)
        fresh = len(prefix) - shared
        self.tokens += prefix[shared:]
        self.places += range(shared, len(prefix))
        self.last, self.line = prefix, [*self.line[:shared], *range(node, node + fresh)]
        self.where[prefix] = self.line[-1]
        if fresh:
            self.lines.setdefault((shared, len(prefix)), []).append(self.line)

    def tree(self) -> PrefixTree:
        chains = (Chains(np.array(lines), shared) for (shared, _), lines in self.lines.items())
        return PrefixTree(
            np.array(self.tokens), np.array(self.places), tuple(chains), dict(self.where)
        )
