"""Files of 8-bit floats, with scales and without, made from ordinary ones without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from surgery.numerics.tensors import BYTE_FLOATS, encode
from surgery.store.header import TensorEntry, build_header

Stored = tuple[str, tuple[int, ...], bytes]


def write_stored(path: Path, tensors: Mapping[str, Stored]) -> Path:
    """Write tensors of any type, given as (dtype, shape, bytes), in the given order."""
    entries, at = [], 0
    for name, (dtype, shape, data) in tensors.items():
        entries.append(TensorEntry(name, dtype, shape, at, at + len(data)))
        at += len(data)
    body = b"".join(data for _, _, data in tensors.values())
    path.write_bytes(build_header(entries, {"format": "pt"}) + body)
    return path


def to_eighths(path: Path, ending: str, *, dtype: str = "F8_E4M3", per_row: bool = False) -> None:
    """Store the matrices of a file as 8-bit floats, times `ending` beside them; none if ''."""
    found: dict[str, Stored] = {}
    for name, value in load_file(path).items():
        if value.ndim != 2 or "embedding" in name:
            found[name] = ("F16", value.shape, value.astype("<f2").tobytes())
            continue
        wide = value.astype(np.float64)
        scale = np.ones(1)
        if ending:
            largest = np.abs(wide).max(axis=1 if per_row else None, keepdims=True)
            scale = (largest / BYTE_FLOATS[dtype][-1]).astype(np.float32).astype(np.float64)
            key = f"{name.removesuffix('.weight')}.{ending}"
            shape = (len(wide), 1) if per_row else ()
            found[key] = ("F32", shape, scale.astype("<f4").tobytes())
        raw = (wide / scale).clip(-BYTE_FLOATS[dtype][-1], BYTE_FLOATS[dtype][-1])
        found[name] = (dtype, value.shape, encode(raw, dtype))
    if ending:
        found["scaled_fp8"] = (dtype, (2,), bytes(2))
    write_stored(path, found)
