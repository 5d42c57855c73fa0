"""Whether two stored tensors hold the same bytes, read a block at a time. Decodes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from surgery.store.contents import TensorRef

BLOCK = 8 << 20
"""Bytes of a tensor that are held at a time."""


def same_bytes(a: TensorRef, b: TensorRef) -> bool:
    """Whether type, shape and every byte are equal.

    Raises:
        CheckpointError: a file went away or got shorter meanwhile.
    """
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return False
    return all(x == y for x, y in blocks(a, b))


def rows_of(ref: TensorRef, first: int, last: int) -> TensorRef:
    """Rows [first, last) of a tensor along dimension 0 as a tensor of their own."""
    width = ref.nbytes // ref.shape[0]
    return replace(
        ref,
        shape=(last - first, *ref.shape[1:]),
        nbytes=(last - first) * width,
        start=ref.start + first * width,
    )


def blocks(a: TensorRef, b: TensorRef) -> Iterator[tuple[bytes, bytes]]:
    """The same rows of two tensors of one shape, about BLOCK bytes at a time."""
    rows = a.shape[0] if a.shape else 0
    largest = max(a.nbytes, b.nbytes)
    if rows < 2 or largest <= BLOCK or a.nbytes % rows or b.nbytes % rows:
        yield a.read(), b.read()
        return
    step = max(1, BLOCK * rows // largest)
    for first in range(0, rows, step):
        last = min(first + step, rows)
        yield a.read(first, last), b.read(first, last)
