"""One value of a tensor from the other: what the factors predict, and what that lacks.

Every step is fixed to the last bit: an exact product, one sum in float64, one rounding. So the same
differences mend the prediction on every machine. Opens no patch file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from surgery.numerics.exact_product import exact_product
from surgery.patches.difference import added, taken
from surgery.patches.stored import Factor, StoredTensor
from surgery.scaled import meaning, stored_bytes
from surgery.store.checkpoint import TensorRef

Tensors = Mapping[str, TensorRef]
Matrix = NDArray[np.float64]


def change(factors: Sequence[Factor], shape: Sequence[int]) -> Matrix:
    """Return the sum of the factors' products, in the tensor's shape."""
    whole = np.zeros((shape[0], prod(shape[1:])))
    for factor in factors:
        first, last = factor.rows or (0, shape[0])
        whole[first:last] += exact_product(factor.up, factor.down)
    return whole.reshape(tuple(shape))


def moved(checkpoint: Tensors, name: str, raw: bytes, by: Matrix) -> bytes:
    """Return a value with a change added in float64, rounded once under the scale it has.

    Raises:
        EditError: the sum is not finite, or too large for the type.
    """
    return stored_bytes(checkpoint, name, meaning(checkpoint, name, raw).astype(np.float64) + by)


def patched(tensor: StoredTensor, checkpoint: Tensors, raw: bytes) -> bytes:
    """Return the new value for the old one.

    Raises:
        CheckpointError: the patch is damaged.
        EditError: its factors do not belong to these numbers.
    """
    if tensor.factors:
        raw = moved(checkpoint, tensor.name, raw, change(tensor.factors, tensor.shape))
    return added(raw, tensor.forward, tensor.word)


def restored(tensor: StoredTensor, checkpoint: Tensors, raw: bytes) -> bytes:
    """Return the old value for the new one; raises as `patched` does."""
    raw = taken(raw, tensor.forward, tensor.word)
    if not tensor.factors:
        return raw
    raw = moved(checkpoint, tensor.name, raw, -change(tensor.factors, tensor.shape))
    return added(raw, tensor.backward, tensor.word)
