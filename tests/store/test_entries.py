"""The table of dtypes agrees with the reference reader, one by one."""

from __future__ import annotations

import re
from math import prod

import pytest
import safetensors

from surgery.store.entries import DTYPE_BITS, TensorEntry, parse_entry
from tests.store.build import entry, framed


def test_the_dtypes_are_exactly_those_of_the_reference_reader() -> None:
    with pytest.raises(safetensors.SafetensorError) as caught:
        safetensors.deserialize(framed({"a": entry("?", [0], 0, 0)}))
    assert set(re.findall(r"`(\w+)`", str(caught.value))) == set(DTYPE_BITS)
    assert len(DTYPE_BITS) == 22


@pytest.mark.parametrize("dtype", DTYPE_BITS)
@pytest.mark.parametrize("shape", [(), (8,), (2, 4), (0,), (3, 0, 5), (16, 1)])
def test_sizes_agree_with_the_reference_reader(dtype: str, shape: tuple[int, ...]) -> None:
    count, rest = divmod(prod(shape) * DTYPE_BITS[dtype], 8)
    if rest:
        pytest.skip("a part of a byte cannot be stored")
    safetensors.deserialize(framed({"a": entry(dtype, shape, 0, count)}, bytes(count)))
    found = parse_entry("a", entry(dtype, shape, 0, count), "f")
    assert found == TensorEntry("a", dtype, shape, 0, count)
    assert found.nbytes == count
