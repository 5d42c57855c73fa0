"""How many stored numbers are NaN or infinite, told from their bits. No files and no names.

Nothing is decoded, so every float that safetensors stores is covered, with arithmetic or without.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class _Bits:
    """Words of `code`; all exponent bits set is not finite, with any mantissa bit a NaN."""

    code: str
    exponent: int
    mantissa: int


_IEEE = {
    "F64": _Bits("<u8", 0x7FF0_0000_0000_0000, 0x000F_FFFF_FFFF_FFFF),
    "F32": _Bits("<u4", 0x7F80_0000, 0x007F_FFFF),
    "F16": _Bits("<u2", 0x7C00, 0x03FF),
    "BF16": _Bits("<u2", 0x7F80, 0x007F),
    "F8_E5M2": _Bits("u1", 0x7C, 0x03),
    "C64": _Bits("<u4", 0x7F80_0000, 0x007F_FFFF),
}
# Kinds without infinity: the codes that mean NaN (OCP MX 1.0, tables 1 and 7; arXiv 2206.02915).
_NAN_CODES = {
    "F8_E4M3": (0x7F, 0xFF),
    "F8_E8M0": (0xFF,),
    "F8_E4M3FNUZ": (0x80,),
    "F8_E5M2FNUZ": (0x80,),
}


def not_finite(raw: bytes, dtype: str) -> tuple[int, int]:
    """Count the NaN and the infinite numbers among stored bytes; a kind without them has none.

    Args:
        raw: whole numbers of the kind, little-endian.
        dtype: a safetensors name, e.g. "F16".
    """
    if codes := _NAN_CODES.get(dtype):
        words = np.frombuffer(raw, np.uint8)
        return sum(int(np.count_nonzero(words == code)) for code in codes), 0
    if dtype not in _IEEE:
        return 0, 0
    bits = _IEEE[dtype]
    words = np.frombuffer(raw, bits.code)
    special = words[(words & bits.exponent) == bits.exponent]
    nan = int(np.count_nonzero(special & bits.mantissa))
    return nan, len(special) - nan


def all_zero(raw: bytes) -> bool:
    """Whether every byte is zero."""
    words: NDArray[np.uint8] = np.frombuffer(raw, np.uint8)
    return not words.any()
