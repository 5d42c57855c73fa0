"""How much memory a process with a model takes, from the headers; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING

from surgery.store.checkpoint import Checkpoint

if TYPE_CHECKING:
    from surgery.model.base import Precision

BYTES: Mapping[Precision, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
LIBRARIES = 500_000_000
"""A process that has loaded a model of no size."""
ACTIVATIONS = 0.5
"""Of what the weights take, for what is computed with them."""


def room_for(checkpoint: Checkpoint, dtype: Precision) -> int:
    """Bytes, a guess on the safe side: copies of weights in the file count as well."""
    entries = sum(prod(ref.shape) for ref in checkpoint.values())
    return int(entries * BYTES[dtype] * (1 + ACTIVATIONS)) + LIBRARIES
