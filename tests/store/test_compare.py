from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from surgery.store import compare
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.compare import blocks, same_bytes

A = np.arange(60, dtype=np.float32).reshape(12, 5)


def stored(path: Path, **tensors: np.ndarray) -> Checkpoint:
    save_file(tensors, path)
    return open_checkpoint(path)


def test_equal_bytes_are_the_same(tmp_path: Path) -> None:
    file = stored(tmp_path / "x.safetensors", a=A, b=A.copy())
    assert same_bytes(file["a"], file["b"])


@pytest.mark.parametrize(
    "other", [A + 1, A.T.copy(), A.astype(np.float16), A.view(np.int32), np.where(A == 59, 58, A)]
)
def test_another_value_shape_or_type_is_not_the_same(tmp_path: Path, other: np.ndarray) -> None:
    file = stored(tmp_path / "x.safetensors", a=A, b=other)
    assert not same_bytes(file["a"], file["b"])


def test_minus_zero_is_not_the_same_as_zero(tmp_path: Path) -> None:
    file = stored(tmp_path / "x.safetensors", a=np.zeros(1), b=-np.zeros(1))
    assert not same_bytes(file["a"], file["b"])


@pytest.mark.parametrize("size", [1, 20, 64, 1000])
def test_blocks_hold_every_byte_once_and_no_more_than_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(compare, "BLOCK", size)
    file = stored(tmp_path / "x.safetensors", a=A, b=A + 1)
    pairs = list(blocks(file["a"], file["b"]))
    assert b"".join(pair[0] for pair in pairs) == A.tobytes()
    assert b"".join(pair[1] for pair in pairs) == (A + 1).tobytes()
    assert max(len(pair[0]) for pair in pairs) <= max(size, A.itemsize * A.shape[1])
