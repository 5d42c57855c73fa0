from __future__ import annotations

import numpy as np
import pytest
import torch

from surgery.errors import CheckpointError, EditError
from surgery.numerics.tensors import WORD_BYTES, decode, encode, rounded_away

KINDS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}
LARGEST = {"F16": 65504.0, "BF16": 3.3895314e38, "F8_E4M3": 448.0, "F8_E5M2": 57344.0}


def every_code(dtype: str) -> bytes:
    return np.arange(256 ** WORD_BYTES[dtype], dtype=f"<u{WORD_BYTES[dtype]}").tobytes()


def by_torch(array: np.ndarray, dtype: str) -> bytes:
    stored = torch.from_numpy(array).to(KINDS[dtype])
    return stored.view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F8_E4M3", "F8_E5M2"])
def test_every_code_decodes_as_torch_reads_it(dtype: str) -> None:
    raw = every_code(dtype)
    expected = torch.frombuffer(bytearray(raw), dtype=KINDS[dtype]).to(torch.float32).numpy()
    np.testing.assert_array_equal(decode(raw, dtype, expected.shape), expected)


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F8_E4M3", "F8_E5M2"])
def test_every_finite_number_survives_decoding_and_encoding(dtype: str) -> None:
    codes = np.frombuffer(every_code(dtype), f"<u{WORD_BYTES[dtype]}")
    numbers = decode(codes.tobytes(), dtype, codes.shape)
    finite = np.isfinite(numbers)
    assert encode(numbers[finite], dtype) == codes[finite].tobytes()


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F8_E4M3", "F8_E5M2"])
def test_ties_and_their_neighbours_round_as_in_torch(dtype: str) -> None:
    numbers = decode(every_code(dtype), dtype, (256 ** WORD_BYTES[dtype],))
    finite = np.unique(numbers[np.isfinite(numbers)]).astype(np.float64)
    ties = ((finite[:-1] + finite[1:]) / 2).astype(np.float32)
    infinity = np.float32(np.inf)
    around = np.concatenate([ties, np.nextafter(ties, infinity), np.nextafter(ties, -infinity)])
    around = around[np.abs(around) > 0]
    assert encode(around, dtype) == by_torch(around, dtype)


@pytest.mark.parametrize("dtype", list(KINDS))
def test_random_numbers_round_as_in_torch(dtype: str) -> None:
    rng = np.random.default_rng(0)
    scale = np.exp2(rng.uniform(-20, 8, 20_000))
    numbers = (rng.standard_normal(20_000) * scale).clip(-440, 440).astype(np.float32)
    assert encode(numbers, dtype) == by_torch(numbers, dtype)


def test_float64_is_rounded_to_bfloat16_once_and_not_by_way_of_float32() -> None:
    tie = 1 + 2**-8
    just_above = np.array([tie + 2**-40, -tie - 2**-40])
    stored = decode(encode(just_above, "BF16"), "BF16", (2,))
    np.testing.assert_array_equal(stored, [1 + 2**-7, -1 - 2**-7])
    odd_tie = 1 + 3 * 2**-8
    just_below = np.array([odd_tie - 2**-40])
    assert decode(encode(just_below, "BF16"), "BF16", (1,))[0] == 1 + 2**-7


def test_negative_zero_keeps_its_sign() -> None:
    for dtype in KINDS:
        assert encode(np.array([-0.0]), dtype)[-1] == 0x80


@pytest.mark.parametrize("dtype", list(LARGEST))
def test_a_number_too_large_for_the_kind_is_an_error(dtype: str) -> None:
    encode(np.array([LARGEST[dtype], -LARGEST[dtype]]), dtype)
    with pytest.raises(EditError, match=f"too large for {dtype}"):
        encode(np.array([-1.1 * LARGEST[dtype]]), dtype)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_an_error(bad: float) -> None:
    with pytest.raises(EditError, match="NaN or infinite"):
        encode(np.array([1.0, bad]), "F32")


def test_bytes_that_do_not_fill_the_shape_are_an_error() -> None:
    with pytest.raises(CheckpointError, match="6 bytes for a F16 tensor"):
        decode(b"\0" * 6, "F16", (2, 2))


def test_a_kind_that_holds_no_plain_numbers_is_refused_by_name() -> None:
    with pytest.raises(EditError, match="stored as I64"):
        decode(b"\0" * 8, "I64", (1,))


@pytest.mark.parametrize("dtype", list(KINDS))
def test_empty_and_scalar_tensors_keep_their_shape(dtype: str) -> None:
    assert decode(b"", dtype, (0, 3)).shape == (0, 3)
    assert encode(np.zeros((0, 3)), dtype) == b""
    assert decode(encode(np.array(1.5), dtype), dtype, ()) == 1.5


def test_a_change_below_the_resolution_is_rounded_away_whole() -> None:
    before = np.ones((8, 8), np.float32)
    assert rounded_away(before, np.full((8, 8), 1e-5), "F16") == pytest.approx(1.0)
    assert rounded_away(before, np.full((8, 8), 1e-5), "F32") < 1e-2


def test_a_change_that_the_kind_can_hold_is_not_rounded_away() -> None:
    before = np.ones((4, 4), np.float32)
    assert rounded_away(before, np.full((4, 4), 0.5), "F8_E4M3") == 0.0
    assert rounded_away(before, np.zeros((4, 4)), "F16") == 0.0
