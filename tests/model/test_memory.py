from __future__ import annotations

from surgery.model.memory import peak_mb


def test_memory_is_that_of_this_process_and_only_rises() -> None:
    before = peak_mb()
    assert 20 < before < 1_000_000
    held = bytearray(b"x") * (50 * 10**6)
    assert peak_mb() >= before
    assert len(held) == 50 * 10**6
