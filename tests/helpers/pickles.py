"""PyTorch files for tests: harmless, odd and hostile. Needs torch; nothing hostile ever loads."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load_file


class Runs:
    """Makes a folder when it is unpickled by a loader that runs code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def weights() -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    wide = torch.randn(4, 6, generator=draw)
    return {
        "half": wide.half(),
        "wide": wide,
        "turned": wide.T,
        "part": wide[1:3, ::2],
        "tied": wide,
        "count": torch.tensor(7),
        "brain": wide.bfloat16(),
        "eighth": wide.to(torch.float8_e4m3fn),
        "yes": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
    }


def save(path: Path, content: object, *, old: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


def rezip(path: Path, *, compress: bool = False, root: str = "", twice: bool = False) -> Path:
    """Write a PyTorch zip again, with something wrong about it."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in records.items():
            archive.writestr(f"{root}{name}", data)
        if twice:
            pickle = next(name for name in records if name.endswith("data.pkl"))
            archive.writestr(pickle, records[pickle])
    return path


def flip(path: Path, record: str) -> Path:
    """Turn one bit in the data of a record, leaving its CRC as it was."""
    with zipfile.ZipFile(path) as archive:
        info = next(item for item in archive.infolist() if item.filename.endswith(record))
    raw = bytearray(path.read_bytes())
    name, extra = struct.unpack_from("<HH", raw, info.header_offset + 26)
    raw[info.header_offset + 30 + name + extra] ^= 1
    path.write_bytes(raw)
    return path


def as_pickles(folder: Path, *components: str, shards: int = 1) -> Path:
    """Replace the safetensors of a pipeline's components by what torch.save makes of them."""
    for component in components:
        (path,) = (folder / component).glob("*.safetensors")
        stem = {"model": "pytorch_model"}.get(path.stem, path.stem)
        tensors = load_file(path)
        path.unlink()
        if shards == 1:
            torch.save(tensors, path.with_name(f"{stem}.bin"))
            continue
        weight_map = {}
        for number in range(shards):
            name = f"{stem}-{number + 1:05}-of-{shards:05}.bin"
            own = {key: tensors[key] for key in sorted(tensors)[number::shards]}
            torch.save(own, path.with_name(name))
            weight_map |= dict.fromkeys(own, name)
        index = {"metadata": {}, "weight_map": weight_map}
        path.with_name(f"{stem}.bin.index.json").write_text(json.dumps(index), "utf-8")
    return folder
