"""Which seeds a prompt is painted with: its own, whatever else is asked beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TypeVar

from surgery.verify.values import SEEDS, Ask

Some = TypeVar("Some")


def seeded(
    prompts: Iterable[tuple[str, str]], seeds: int, first: int, most: int | None = None
) -> tuple[Ask, ...]:
    """Every prompt with so many seeds of its own; a prompt that comes again goes on counting.

    Args:
        prompts: each with what it shows beside the concept, '' for nothing.
        seeds: for each.
        first: of the seeds of this run.
        most: prompts to take, spread evenly over them; None for all.
    """
    return tuple(_asks(list(prompts), seeds, first, most))


def _asks(
    prompts: list[tuple[str, str]], seeds: int, first: int, most: int | None
) -> Iterator[Ask]:
    used: Counter[str] = Counter()
    for prompt, thing in spread(prompts, most):
        for _ in range(seeds):
            yield Ask(prompt, first + own_seed(prompt) + used[prompt], thing=thing)
            used[prompt] += 1


def spread(prompts: Sequence[Some], most: int | None) -> list[Some]:
    """At most so many, evenly over all."""
    count = min(most or len(prompts), len(prompts))
    return [prompts[number * len(prompts) // count] for number in range(count)]


def own_seed(prompt: str) -> int:
    """Where a prompt's seeds begin, from 0."""
    return int.from_bytes(sha256(prompt.encode()).digest()[:8], "little") % SEEDS
