"""Whether an edit fits in memory, told before any download. Asks the system, allocates nothing."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path

from surgery.errors import ResourceError
from surgery.store.contents import TensorRef
from surgery.store.text import quoted, size

MEMINFO = Path("/proc/meminfo")
# A matrix as it was, its change, and the sum, each in float64.
_BYTES_PER_ENTRY = 3 * 8


def check_memory(changed: Iterable[TensorRef]) -> None:
    """Raise ResourceError unless the largest tensor that changes can be worked on.

    Where the system does not say how much memory is free, nothing is refused.
    """
    largest = max(changed, key=lambda ref: prod(ref.shape), default=None)
    free = available()
    if largest is None or free is None:
        return
    needed = _BYTES_PER_ENTRY * prod(largest.shape)
    if needed > free:
        raise ResourceError(
            f"not enough memory: {size(needed)} are needed, {size(free)} are free",
            where=quoted(largest.name),
            hint="close other programs or take a larger machine",
        )


def available() -> int | None:
    """Return how many bytes of memory and swap can be had, None where nothing says."""
    try:
        lines = MEMINFO.read_text(encoding="utf-8").splitlines()
        found = {
            key: int(rest.split()[0]) for key, _, rest in (line.partition(":") for line in lines)
        }
        return 1024 * (found["MemAvailable"] + found["SwapFree"])
    except (OSError, ValueError, KeyError, IndexError):
        return None
