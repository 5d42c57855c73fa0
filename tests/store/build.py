"""Small safetensors files and folders made byte by byte, valid and not, for these tests."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import prod
from pathlib import Path

import pytest

from surgery.store.entries import DTYPE_BITS

Spec = tuple[str, tuple[int, ...]]


def framed(header: object, data: bytes = b"") -> bytes:
    """A safetensors file of any header: bytes as they are, text in UTF-8, else JSON."""
    if isinstance(header, str):
        header = header.encode()
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def entry(dtype: str, shape: Sequence[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def file_bytes(tensors: Mapping[str, Spec], metadata: object = None, pad: int = 0) -> bytes:
    """A valid file of random bytes, tensors laid out in the given order."""
    draw, at, content = random.Random(7), 0, {}
    if metadata is not None:
        content["__metadata__"] = metadata
    for name, (dtype, shape) in tensors.items():
        count = prod(shape) * DTYPE_BITS[dtype] // 8
        content[name] = entry(dtype, shape, at, at + count)
        at += count
    raw = json.dumps(content, ensure_ascii=False).encode() + b" " * pad
    return framed(raw, draw.randbytes(at))


def write_file(path: Path, tensors: Mapping[str, Spec], metadata: object = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file_bytes(tensors, metadata))
    return path


def write_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_pipeline(root: Path) -> Path:
    """A diffusers folder: a single-file text encoder, a UNet in two shards, side files."""
    components = {"text_encoder": ["transformers", "CLIPTextModel"], "unet": ["diffusers", "UNet"]}
    index = {"_class_name": "StableDiffusionPipeline", "safety_checker": [None, None]}
    write_json(root / "model_index.json", index | components)
    write_json(root / "text_encoder" / "config.json", {"hidden_size": 4})
    write_file(root / "text_encoder" / "model.safetensors", {"out.weight": ("F16", (4, 4))})
    write_json(root / "tokenizer" / "deep" / "vocab.json", {"a": 0})
    write_shards(root / "unet", "diffusion_pytorch_model")
    write_json(root / "unet" / "config.json", {})
    return root


def write_shards(folder: Path, stem: str) -> Path:
    """Two shards and their index; returns the index."""
    first, second = (f"{stem}-0000{number}-of-00002.safetensors" for number in (1, 2))
    write_file(folder / first, {"a.weight": ("F32", (3, 2)), "a.bias": ("F32", (3,))}, {"x": "1"})
    write_file(folder / second, {"b.weight": ("F16", (5, 3))})
    weight_map = {"a.weight": first, "a.bias": first, "b.weight": second}
    return write_json(folder / f"{stem}.safetensors.index.json", {"weight_map": weight_map})


def contents(root: Path) -> dict[str, str]:
    """Relative name -> digest of every file at or beneath `root`, hidden ones too."""
    files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    return {
        path.relative_to(root).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def skip_unless_closed(folder: Path) -> None:
    """Make a folder that nobody may write to, and skip the test for those who still may."""
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write everywhere")


def python(code: str, *arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """A Python process that runs `code` with this package importable."""
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}"]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
