"""What the stored numbers of a tensor mean: themselves, or 8-bit floats times a scale beside them.

`X.weight` may have `X.scale_weight` (ComfyUI's `scaled_fp8` files) or `X.weight_scale` (torchao,
compressed-tensors, diffusers): one number, or one for each row. An edit keeps the scale.
Source: comfy/ops.py, `scaled_fp8_ops`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from surgery.errors import EditError
from surgery.numerics.tensors import BYTE_FLOATS, Array, decode, encode
from surgery.store.checkpoint import TensorRef
from surgery.store.text import visible

_ONE_EACH = ("scale_weight", "weight_scale")
_IN_BLOCKS = "weight_scale_inv"
Tensors = Mapping[str, TensorRef]


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The factor of a tensor's stored numbers: (1,) for all, or (rows,).

    Args:
        name: the tensor that holds it.
    """

    name: str
    values: NDArray[np.float64]

    def over(self, stored: Array, first: int = 0) -> NDArray[np.float64]:
        """The factor in the shape that multiplies `stored`, whose rows begin with row `first`."""
        if len(self.values) == 1:
            return self.values
        rows = self.values[first : first + len(stored)]
        return rows.reshape(-1, *[1] * (stored.ndim - 1))


def scale_name(name: str, checkpoint: Tensors) -> str | None:
    """Return the name of the scale of a tensor of 8-bit floats, or None; from headers alone.

    Raises:
        EditError: the scale is for blocks, and not for all numbers or for each row.
    """
    ref = checkpoint[name]
    if ref.dtype not in BYTE_FLOATS or not name.endswith(".weight"):
        return None
    module = name.removesuffix(".weight")
    beside = [f"{module}.{ending}" for ending in (*_ONE_EACH, _IN_BLOCKS)]
    found = next((each for each in beside if each in checkpoint), None)
    if found is not None:
        _check_shape(checkpoint[found], ref)
    return found


def scale_of(name: str, checkpoint: Tensors) -> Scale | None:
    """Read the scale of a tensor, or return None where it has none.

    Raises:
        EditError: it is not positive, or as for `scale_name`.
    """
    found = scale_name(name, checkpoint)
    if found is None:
        return None
    own = checkpoint[found]
    values = decode(own.read(), own.dtype, own.shape).astype(np.float64).reshape(-1)
    if not np.isfinite(values).all() or (values <= 0).any():
        raise EditError("the scale is not a positive number", where=visible(found))
    return Scale(found, values)


def unscaled(name: str, checkpoint: Tensors) -> bool:
    """Return whether a tensor is stored as 8-bit floats without a scale; from headers alone."""
    return checkpoint[name].dtype in BYTE_FLOATS and scale_name(name, checkpoint) is None


def numbers(checkpoint: Tensors, name: str, rows: tuple[int, int] | None = None) -> Array:
    """Return what a tensor, or a range of its rows, means: decoded, times its scale if it has one.

    Raises:
        EditError: its type has no numbers, or its scale is not one.
        CheckpointError: the file went away or got shorter.
    """
    ref = checkpoint[name]
    first, last = rows or (None, None)
    shape = ref.shape if rows is None else (rows[1] - rows[0], *ref.shape[1:])
    stored = decode(ref.read(first, last), ref.dtype, shape)
    scale = scale_of(name, checkpoint)
    return stored if scale is None else stored * scale.over(stored, first or 0)


def single_rows(checkpoint: Tensors, name: str, index: Sequence[int]) -> dict[int, Array]:
    """Return what single rows of a tall tensor mean, without reading the others."""
    ref, scale = checkpoint[name], scale_of(name, checkpoint)
    found = {}
    for row, raw in zip(index, ref.rows(index), strict=True):
        stored = decode(raw, ref.dtype, (1, *ref.shape[1:]))
        found[row] = (stored if scale is None else stored * scale.over(stored, row))[0]
    return found


def stored_bytes(checkpoint: Tensors, name: str, value: Array) -> bytes:
    """Round a whole tensor once to its stored type, under the scale it has.

    What goes beyond the largest number under a scale becomes that number, as in the files' makers.

    Raises:
        EditError: a number is not finite, or too large for a type without a scale.
    """
    dtype = checkpoint[name].dtype
    scale = scale_of(name, checkpoint)
    if scale is None:
        return encode(value, dtype)
    largest = BYTE_FLOATS[dtype][-1]
    scaled = value / scale.over(value)
    # NaN stays NaN in a clip, and encode refuses it; infinity must not become a number here.
    return encode(np.where(np.isfinite(scaled), scaled.clip(-largest, largest), scaled), dtype)


def meaning(checkpoint: Tensors, name: str, raw: bytes) -> Array:
    """Return what new bytes of a whole tensor mean, under the scale it has."""
    ref = checkpoint[name]
    stored = decode(raw, ref.dtype, ref.shape)
    scale = scale_of(name, checkpoint)
    return stored if scale is None else stored * scale.over(stored)


def _check_shape(scale: TensorRef, ref: TensorRef) -> None:
    rows = ref.shape[0] if ref.shape else 1
    per_row = (rows, *[1] * (len(ref.shape) - 1))
    if prod(scale.shape) == 1 or scale.shape in {(rows,), per_row}:
        return
    raise EditError(
        f"its scale {visible(scale.name)} of shape {list(scale.shape)} is neither one number nor"
        " one for each row",
        where=visible(ref.name),
        hint="use a copy of the model in 16 bits",
    )
