"""Which of an unpickled file's contents are its weights, and their bytes as a safetensors file.

Runs in the child process of `unpickle` only; torch's types are seen, nothing is loaded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from surgery.errors import CheckpointError
from surgery.store.entries import DTYPE_BITS, in_a_row
from surgery.store.header import build_header
from surgery.store.text import quoted, size

if TYPE_CHECKING:
    import torch

# Source: the names that torch and safetensors give to the same type.
_NAMES: Mapping[str, str] = {
    "bool": "BOOL",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
}
_SHARED = 2
_SMALL = 1 << 20


def weights_of(content: object, where: str) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """Return the tensors of a loaded file, and the names of what is left out.

    Args:
        content: a state dict, or a dict that holds one under `state_dict` or as its only part
            with tensors.
        where: what errors call the file.

    Raises:
        CheckpointError: no tensors, several state dicts, or a tensor without a safetensors form.
    """
    if not isinstance(content, Mapping):
        raise CheckpointError("it holds no dict of tensors", where=where)
    state, left = _chosen(content, where)
    tensors: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not _is_tensor(value):
            left.append(str(name))
            continue
        _check_plain(name, value, where)
        tensors[name] = value
    return tensors, tuple(left)


def write_weights(tensors: Mapping[str, torch.Tensor], target: Path, room: int, where: str) -> None:
    """Write tensors as a safetensors file, those of wide types first so that all lie aligned.

    Args:
        room: bytes of the file they come from; tensors that share storage may come to twice that.
    """
    kinds = {name: dtype_name(tensor) for name, tensor in tensors.items()}
    ordered = sorted(tensors, key=lambda name: -DTYPE_BITS[kinds[name]])
    entries = tuple(in_a_row((name, kinds[name], tuple(tensors[name].shape)) for name in ordered))
    total = sum(entry.nbytes for entry in entries)
    if total > _SHARED * room + _SMALL:
        raise CheckpointError(
            f"its tensors claim {size(total)}, the file has {size(room)}",
            where=where,
            hint="it is damaged, or made to fill the memory",
        )
    with target.open("xb") as file:
        file.write(build_header(entries, {"format": "pt"}))
        for name in ordered:
            file.write(_bytes(tensors[name]))


def dtype_name(tensor: torch.Tensor) -> str:
    """Return the safetensors name of a tensor's type, '' where there is none."""
    return _NAMES.get(str(tensor.dtype).removeprefix("torch."), "")


def _chosen(
    content: Mapping[object, object], where: str
) -> tuple[Mapping[object, object], list[str]]:
    inner = content.get("state_dict")
    if isinstance(inner, Mapping):
        return inner, [str(key) for key in content if key != "state_dict"]
    if any(_is_tensor(value) for value in content.values()):
        return content, []
    parts = {
        str(key): value
        for key, value in content.items()
        if isinstance(value, Mapping) and any(_is_tensor(item) for item in value.values())
    }
    if len(parts) == 1:
        (name,) = parts
        return parts[name], [str(key) for key in content if str(key) != name]
    if not parts:
        raise CheckpointError("it holds no tensors", where=where)
    listed = ", ".join(quoted(name, 40) for name in parts)
    problem = f"it holds several dicts of tensors: {listed}"
    raise CheckpointError(problem, where=where, hint="save the one meant as safetensors")


def _is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    import torch

    return isinstance(value, torch.Tensor)


def _check_plain(name: str, tensor: torch.Tensor, where: str) -> None:
    import torch

    place = f"{where}:{quoted(name)}"
    if "\0" in name or any("\ud800" <= char <= "\udfff" for char in name):
        raise CheckpointError("a name that safetensors cannot hold", where=place)
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise CheckpointError("a sparse, quantised or empty-handed tensor", where=place)
    if not dtype_name(tensor):
        problem = f"safetensors has no type for {tensor.dtype}"
        raise CheckpointError(problem, where=place)


def _bytes(tensor: torch.Tensor) -> bytes:
    import torch

    plain = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return plain.view(torch.uint8).numpy().tobytes()
