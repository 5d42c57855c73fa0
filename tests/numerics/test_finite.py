from __future__ import annotations

import numpy as np
import pytest

from surgery.numerics.finite import all_zero, not_finite

NUMBERS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 60000.0, 1e-7, -np.nan]


@pytest.mark.parametrize(("dtype", "code"), [("F64", "<f8"), ("F32", "<f4"), ("F16", "<f2")])
def test_counts_what_numpy_counts(dtype: str, code: str) -> None:
    raw = np.array(NUMBERS).astype(code).tobytes()
    assert not_finite(raw, dtype) == (2, 2)


def test_every_code_of_a_16_bit_kind_is_told_right() -> None:
    codes = np.arange(2**16, dtype="<u2")
    half = codes.view("<f2")
    assert not_finite(codes.tobytes(), "F16") == (np.isnan(half).sum(), np.isinf(half).sum())
    wide = (codes.astype(np.uint32) << 16).view(np.float32)
    assert not_finite(codes.tobytes(), "BF16") == (np.isnan(wide).sum(), np.isinf(wide).sum())


@pytest.mark.parametrize(
    ("dtype", "counts"),
    [
        ("F8_E4M3", (2, 0)),
        ("F8_E5M2", (6, 2)),
        ("F8_E8M0", (1, 0)),
        ("F8_E4M3FNUZ", (1, 0)),
        ("F8_E5M2FNUZ", (1, 0)),
        ("I8", (0, 0)),
        ("F4", (0, 0)),
    ],
)
def test_every_code_of_an_8_bit_kind_is_told_right(dtype: str, counts: tuple[int, int]) -> None:
    assert not_finite(bytes(range(256)), dtype) == counts


def test_both_halves_of_a_complex_number_count() -> None:
    assert not_finite(np.array([np.nan + 1j, 1 + np.inf * 1j], "<c8").tobytes(), "C64") != (0, 0)


def test_zero_means_every_byte() -> None:
    assert all_zero(bytes(100))
    assert not all_zero(bytes(99) + b"\x80")
