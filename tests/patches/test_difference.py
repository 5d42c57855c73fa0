from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgery.errors import CheckpointError
from surgery.patches.difference import NOTHING, Difference, added, between, taken

WORDS = (1, 2, 4, 8)


def noise(count: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(count)


@given(
    word=st.sampled_from(WORDS),
    pairs=st.lists(st.tuples(st.binary(min_size=8, max_size=8), st.booleans()), max_size=40),
    other=st.binary(min_size=320, max_size=320),
)
@settings(max_examples=60, deadline=None)
def test_any_bits_come_back_in_both_directions(
    word: int, pairs: list[tuple[bytes, bool]], other: bytes
) -> None:
    old = b"".join(chunk for chunk, _ in pairs)
    kept = [chunk if same else other[8 * n : 8 * n + 8] for n, (chunk, same) in enumerate(pairs)]
    new = b"".join(kept)
    found = between(old, new, word)
    assert added(old, found, word) == new
    assert taken(new, found, word) == old


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.6, 1.0])
def test_few_and_many_differing_words_come_back(word: int, share: float) -> None:
    draw = np.random.default_rng(3)
    old = np.frombuffer(noise(40_000 * word), f"<u{word}")
    moved = np.where(draw.random(len(old)) < share, draw.integers(1, 99, len(old)), 0)
    new = old + moved.astype(old.dtype)
    found = between(old.tobytes(), new.tobytes(), word)
    assert added(old.tobytes(), found, word) == new.tobytes()
    assert taken(new.tobytes(), found, word) == old.tobytes()
    assert found.nbytes < 200 + 3.2 * np.count_nonzero(moved)


def test_equal_values_cost_nothing() -> None:
    assert between(noise(64), noise(64), 4) is NOTHING
    assert NOTHING.nbytes == 0
    assert added(noise(64), NOTHING, 4) == noise(64)


def test_one_last_bit_in_a_million_costs_a_few_bytes() -> None:
    old = np.zeros(1_000_000, "<f4") + np.float32(0.1)
    new = old.copy()
    new[777_777] = np.nextafter(new[777_777], np.float32(1))
    assert between(old.tobytes(), new.tobytes(), 4).nbytes < 20


def damaged(difference: Difference, **fields: object) -> str:
    with pytest.raises(CheckpointError) as caught:
        added(noise(400), replace(difference, **fields), 4)  # type: ignore[arg-type]
    assert caught.value.hint == "the patch is damaged"
    return caught.value.what


def test_what_is_damaged_is_refused() -> None:
    few = between(noise(400), noise(396) + b"abcd", 4)
    assert "does not inflate" in damaged(few, packed=b"no zlib")
    assert "length" in damaged(few, packed=few.packed[:-1])
    assert "length" in damaged(few, packed=few.packed + b"x")
    assert "length" in damaged(few, count=2)
    assert "more words" in damaged(few, count=101)
    assert "more words" in damaged(few, value_bytes=5)
    far = replace(few, gap_bytes=8, value_bytes=1, packed=b"")
    for gap in (100, 2**31, 2**63, 2**64 - 1):
        packed = zlib.compress(gap.to_bytes(8, "little") + b"\1")
        assert "beyond" in damaged(far, packed=packed)


def test_gaps_that_add_up_to_a_place_outside_are_refused() -> None:
    two = Difference(2, 1, 1, zlib.compress(bytes([60, 60, 1, 1])))
    assert "beyond" in damaged(two)


def test_a_bomb_is_inflated_no_further_than_its_own_length() -> None:
    bomb = zlib.compress(bytes(20_000_000), 1)
    assert len(bomb) < 200_000
    assert "length" in damaged(Difference(100, 0, 4, bomb))
