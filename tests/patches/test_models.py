from __future__ import annotations

from pathlib import Path

import pytest

from surgery.errors import CheckpointError
from surgery.patches import from_models
from surgery.patches.rebuild import patched, restored
from surgery.store.checkpoint import open_checkpoint
from surgery.store.entries import DTYPE_BITS
from tests.store.build import Spec, file_bytes, write_file

# Eight of each, so that those of 4 and 6 bits fill whole bytes.
ALL: dict[str, Spec] = {dtype: (dtype, (4, 2)) for dtype in DTYPE_BITS}


def noise(path: Path, tensors: dict[str, Spec], turn: int) -> Path:
    """A valid file of all kinds of bits, NaN among them, another one for each `turn`."""
    raw = file_bytes(tensors)
    start = 8 + int.from_bytes(raw[:8], "little")
    path.write_bytes(raw[:start] + bytes((byte * turn) % 256 for byte in raw[start:]))
    return path


def test_any_bits_of_any_type_are_kept_in_both_directions(tmp_path: Path) -> None:
    first = open_checkpoint(noise(tmp_path / "a.safetensors", ALL, 1))
    second = open_checkpoint(noise(tmp_path / "b.safetensors", ALL, 7))
    patch = from_models(first, second)
    assert len(patch.changed) == len(ALL)
    for tensor in patch.tensors:
        old, new = first[tensor.name].read(), second[tensor.name].read()
        assert patched(tensor, first, old) == new
        assert restored(tensor, second, new) == old


def test_only_what_differs_is_kept_and_every_tensor_is_counted(tmp_path: Path) -> None:
    first = open_checkpoint(write_file(tmp_path / "a.safetensors", ALL))
    data = bytearray((tmp_path / "a.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "b.safetensors").write_bytes(data)
    seen: list[int] = []
    patch = from_models(first, open_checkpoint(tmp_path / "b.safetensors"), seen.append)
    assert [tensor.name for tensor in patch.tensors] == [list(ALL)[-1]]
    assert patch.tensors[0].correction_bytes < 20
    assert sum(seen) == sum(ref.nbytes for ref in first.values())


def refused(tmp_path: Path, other: dict[str, Spec]) -> str:
    first = write_file(tmp_path / "a.safetensors", {"x": ("F16", (3, 2)), "y": ("F32", (2,))})
    second = write_file(tmp_path / "b.safetensors", other)
    with pytest.raises(CheckpointError) as caught:
        from_models(open_checkpoint(first), open_checkpoint(second))
    return str(caught.value)


def test_models_that_differ_in_more_than_values_are_refused(tmp_path: Path) -> None:
    assert "'y' is only in the first" in refused(tmp_path, {"x": ("F16", (3, 2))})
    more: dict[str, Spec] = {"x": ("F16", (3, 2)), "y": ("F32", (2,)), "z": ("U8", (1,))}
    assert "'z' is only in the second" in refused(tmp_path, more)
    other: dict[str, Spec] = {"x": ("F16", (2, 3)), "y": ("F16", (2,))}
    said = refused(tmp_path, other)
    assert "'x' is F16 [3, 2] and F16 [2, 3]; 'y' is F32 [2] and F16 [2]" in said
    many: dict[str, Spec] = {f"t{number}": ("U8", (1,)) for number in range(9)}
    assert refused(tmp_path, many).count("only in") == 3


def test_equal_models_are_refused(tmp_path: Path) -> None:
    same: dict[str, Spec] = {"x": ("F16", (3, 2)), "y": ("F32", (2,))}
    assert "nothing to keep" in refused(tmp_path, same)
