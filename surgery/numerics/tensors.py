"""Stored bytes to numbers and back, rounding once to the nearest even. No files and no names.

Wide numbers come out as they are; every narrower kind comes out as float32, which holds all of them
exactly, so that decoding and encoding again gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surgery.errors import CheckpointError, EditError

Array = NDArray[np.floating]

WORD_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}

# The non-negative finite values of each 8-bit float in the order of their codes
# (Micikevicius et al. 2022, arXiv 2209.05433, table 1); the sign is the highest bit.
E4M3 = (
    *(0.0, 0.001953125, 0.00390625, 0.005859375, 0.0078125, 0.009765625, 0.01171875, 0.013671875),
    *(0.015625, 0.017578125, 0.01953125, 0.021484375, 0.0234375, 0.025390625, 0.02734375),
    *(0.029296875, 0.03125, 0.03515625, 0.0390625, 0.04296875, 0.046875, 0.05078125, 0.0546875),
    *(0.05859375, 0.0625, 0.0703125, 0.078125, 0.0859375, 0.09375, 0.1015625, 0.109375),
    *(0.1171875, 0.125, 0.140625, 0.15625, 0.171875, 0.1875, 0.203125, 0.21875, 0.234375),
    *(0.25, 0.28125, 0.3125, 0.34375, 0.375, 0.40625, 0.4375, 0.46875),
    *(0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8125, 0.875, 0.9375),
    *(1.0, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875),
    *(2.0, 2.25, 2.5, 2.75, 3.0, 3.25, 3.5, 3.75),
    *(4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5),
    *(8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0),
    *(16.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0),
    *(32.0, 36.0, 40.0, 44.0, 48.0, 52.0, 56.0, 60.0),
    *(64.0, 72.0, 80.0, 88.0, 96.0, 104.0, 112.0, 120.0),
    *(128.0, 144.0, 160.0, 176.0, 192.0, 208.0, 224.0, 240.0),
    *(256.0, 288.0, 320.0, 352.0, 384.0, 416.0, 448.0),
)
E5M2 = (
    *(0.0, 2**-16, 2**-15, 1.5 * 2**-15, 2**-14, 1.25 * 2**-14, 1.5 * 2**-14, 1.75 * 2**-14),
    *(2**-13, 1.25 * 2**-13, 1.5 * 2**-13, 1.75 * 2**-13, 2**-12, 1.25 * 2**-12, 1.5 * 2**-12),
    *(1.75 * 2**-12, 2**-11, 1.25 * 2**-11, 1.5 * 2**-11, 1.75 * 2**-11, 2**-10, 1.25 * 2**-10),
    *(1.5 * 2**-10, 1.75 * 2**-10, 2**-9, 1.25 * 2**-9, 1.5 * 2**-9, 1.75 * 2**-9),
    *(0.00390625, 0.0048828125, 0.005859375, 0.0068359375),
    *(0.0078125, 0.009765625, 0.01171875, 0.013671875),
    *(0.015625, 0.01953125, 0.0234375, 0.02734375, 0.03125, 0.0390625, 0.046875, 0.0546875),
    *(0.0625, 0.078125, 0.09375, 0.109375, 0.125, 0.15625, 0.1875, 0.21875),
    *(0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625, 0.75, 0.875, 1.0, 1.25, 1.5, 1.75),
    *(2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0, 24.0, 28.0),
    *(32.0, 40.0, 48.0, 56.0, 64.0, 80.0, 96.0, 112.0, 128.0, 160.0, 192.0, 224.0),
    *(256.0, 320.0, 384.0, 448.0, 512.0, 640.0, 768.0, 896.0),
    *(1024.0, 1280.0, 1536.0, 1792.0, 2048.0, 2560.0, 3072.0, 3584.0),
    *(4096.0, 5120.0, 6144.0, 7168.0, 8192.0, 10240.0, 12288.0, 14336.0),
    *(16384.0, 20480.0, 24576.0, 28672.0, 32768.0, 40960.0, 49152.0, 57344.0),
)
BYTE_FLOATS = {"F8_E4M3": E4M3, "F8_E5M2": E5M2}


def decode(raw: bytes, dtype: str, shape: Sequence[int]) -> Array:
    """Read stored bytes as numbers: float64 for F64, float32 for every narrower kind.

    Args:
        raw: the tensor's bytes, little-endian and row by row.
        dtype: a safetensors name, e.g. "F16".
        shape: the tensor's shape; its product times the word size is the length of `raw`.

    Raises:
        CheckpointError: the bytes do not fill the shape.
        EditError: numbers of this kind cannot be edited.
    """
    wanted = _word(dtype) * math.prod(shape)
    if len(raw) != wanted:
        raise CheckpointError(
            f"{len(raw)} bytes for a {dtype} tensor of shape {tuple(shape)}, which takes {wanted}"
        )
    return _numbers(raw, dtype).reshape(tuple(shape))


def encode(array: Array, dtype: str) -> bytes:
    """Round numbers once, to the nearest even, and give the bytes to store.

    Args:
        array: float32 or float64 numbers of any shape.
        dtype: a safetensors name, e.g. "F16".

    Raises:
        EditError: a number is not finite, or is too large for the kind.
    """
    _word(dtype)
    if not np.isfinite(array).all():
        hint = (
            "lower the strength; `surgery doctor` says whether the model holds such numbers already"
        )
        raise EditError("the result holds NaN or infinite numbers", hint=hint)
    with np.errstate(over="ignore"):
        codes = _codes(array, dtype)
    if dtype not in BYTE_FLOATS and not np.isfinite(_numbers(codes.tobytes(), dtype)).all():
        raise _too_large(array, dtype)
    return codes.tobytes()


def rounded_away(before: Array, change: Array, dtype: str) -> float:
    """The share of an intended change that rounding to the stored kind takes away.

    0 says that all of it arrives, 1 that nothing does, as when every step is below half a unit in
    the last place of `before`.

    Args:
        before: the stored numbers, which `dtype` holds exactly.
        change: what is to be added, of the same shape.
        dtype: the kind it will be stored as.
    """
    intended = float(np.linalg.norm(change))
    if intended == 0.0:
        return 0.0
    after = before.astype(np.float64) + change
    stored = decode(encode(after, dtype), dtype, after.shape)
    return float(np.linalg.norm(stored - after)) / intended


def _word(dtype: str) -> int:
    if dtype not in WORD_BYTES:
        raise EditError(
            f"numbers stored as {dtype} cannot be edited",
            hint=f"only {', '.join(WORD_BYTES)} can",
        )
    return WORD_BYTES[dtype]


def _numbers(raw: bytes, dtype: str) -> Array:
    if dtype == "F64":
        return np.frombuffer(raw, "<f8")
    if dtype == "F32":
        return np.frombuffer(raw, "<f4")
    if dtype == "F16":
        return np.frombuffer(raw, "<f2").astype(np.float32)
    if dtype == "BF16":
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
    return _byte_table(dtype)[np.frombuffer(raw, np.uint8)]


def _byte_table(dtype: str) -> NDArray[np.float32]:
    """All 256 numbers of an 8-bit kind, in the order of their codes."""
    half = np.full(128, np.nan, np.float32)
    half[: len(BYTE_FLOATS[dtype])] = BYTE_FLOATS[dtype]
    if dtype == "F8_E5M2":
        half[len(E5M2)] = np.inf
    return np.concatenate([half, -half])


def _codes(array: Array, dtype: str) -> NDArray[np.generic]:
    if dtype == "F64":
        return array.astype("<f8")
    if dtype == "F32":
        return array.astype("<f4")
    if dtype == "F16":
        return array.astype("<f2")
    if dtype == "BF16":
        return _bfloat_codes(array)
    return _byte_codes(array, dtype)


def _bfloat_codes(array: Array) -> NDArray[np.uint16]:
    single = np.ascontiguousarray(array, np.float32)
    bits = single.view(np.uint32)
    # float64 -> float32 may land on a tie that the number itself is not; step off it first.
    false_tie = ((bits & 0xFFFF) == 0x8000) & (single != array)
    if false_tie.any():
        single = np.where(false_tie, np.nextafter(single, _beyond(array, single)), single)
        bits = single.view(np.uint32)
    rounded = bits.astype(np.uint64) + 0x7FFF + ((bits >> 16) & 1)
    return (rounded >> 16).astype("<u2")


def _beyond(array: Array, single: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(array > single, np.float32(np.inf), np.float32(-np.inf))


def _byte_codes(array: Array, dtype: str) -> NDArray[np.uint8]:
    table = np.asarray(BYTE_FLOATS[dtype])
    last_step = table[-1] - table[-2]
    ladder = np.append(table, table[-1] + last_step)
    middles = (ladder[:-1] + ladder[1:]) / 2
    size = np.abs(array).astype(np.float64)
    codes = np.searchsorted(middles, size, side="left")
    on_tie = size == middles[np.minimum(codes, len(middles) - 1)]
    codes = codes + (on_tie & (codes % 2 == 1))
    if (codes >= len(table)).any():
        raise _too_large(array, dtype)
    signs = np.signbit(array).astype(np.uint8)
    signed: NDArray[np.uint8] = codes.astype(np.uint8) | (signs << 7)
    return signed


def _too_large(array: Array, dtype: str) -> EditError:
    largest = float(np.abs(array).max())
    return EditError(f"the result reaches {largest:.4g}, too large for {dtype}")
