"""Which seeds a prompt is painted with: its own, whatever else is asked beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from surgery.verify.values import SEEDS, Ask


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
    count = min(most or len(prompts), len(prompts))
    used: Counter[str] = Counter()
    for number in range(count):
        prompt, thing = prompts[number * len(prompts) // count]
        for _ in range(seeds):
            yield Ask(prompt, first + own_seed(prompt) + used[prompt], thing=thing)
            used[prompt] += 1


def own_seed(prompt: str) -> int:
    """Where a prompt's seeds begin, from 0."""
    return int.from_bytes(sha256(prompt.encode()).digest()[:8], "little") % SEEDS
