"""Opens a checkpoint: finds its weight files, reads their headers, names their tensors.

Pickles are never read: beside safetensors they are side files, alone they are an error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.address import locate
from surgery.store.contents import Checkpoint, Kind, TensorRef
from surgery.store.files import is_plain_name, stamp
from surgery.store.header import MAX_HEADER, Header, read_header
from surgery.store.strict_json import load_file
from surgery.store.text import quoted, visible
from surgery.store.tree import walk
from surgery.store.weights import check_index, choose, is_pickle_name, read_index

__all__ = ["Checkpoint", "TensorRef", "open_checkpoint"]

_LOG = logging.getLogger("surgery")
_CONVERT = "convert it to safetensors first; pickles can run code and are never opened"


@dataclass(frozen=True, slots=True)
class _Part:
    """The weights of one component: file names beneath the root, and the index if there is one."""

    prefix: str
    files: tuple[str, ...]
    index: str = ""
    weight_map: Mapping[str, str] | None = None


def open_checkpoint(address: str | Path, *, max_header: int = MAX_HEADER) -> Checkpoint:
    """Open the model at `address` from its headers alone.

    Args:
        address: `atelier`, a safetensors file, a `*.safetensors.index.json`, a diffusers folder,
            or the folder of one component (a config.json beside its weights).
        max_header: bytes that a header may have.

    Raises:
        CheckpointError: nothing there, damaged, ambiguous, or pickles only.
        HubError: an address on the Hub.
    """
    path = locate(address)
    if path.is_dir():
        return _open_folder(str(address), path, max_header)
    if path.name.endswith(".json"):
        part = _sharded("", "", path)
        place: tuple[str, Path, Kind] = (str(address), path.parent, "sharded")
        return _build(place, [part], [path.name], max_header)
    if is_pickle_name(path.name) and path.is_file():
        raise CheckpointError("this is a pickle file", where=visible(str(path)), hint=_CONVERT)
    before = stamp(path)
    header = read_header(path, max_header=max_header)
    tensors = _refs(path, header, "")
    return Checkpoint(str(address), path, "file", {path.name: header}, {path.name: before}, tensors)


def _open_folder(address: str, root: Path, max_header: int) -> Checkpoint:
    names = walk(root)
    if "model_index.json" in names:
        prefixes = _components(root / "model_index.json")
        found = [_part(root, prefix, prefix, names) for prefix in prefixes]
    elif "config.json" in names:
        found = [_part(root, "", "", names)]
    else:
        problem = "no model_index.json and no config.json in this folder"
        hint = "give a weight file, its *.safetensors.index.json, or the model's own folder"
        raise CheckpointError(problem, where=visible(str(root)), hint=hint)
    parts = [part for part in found if part]
    if not parts:
        raise _no_weights(root, names)
    return _build((address, root, "folder"), parts, names, max_header)


def _components(index: Path) -> list[str]:
    found = []
    for name, value in load_file(index).items():
        if name.startswith("_") or not isinstance(value, list) or not all(value):
            continue
        if not is_plain_name(name):
            problem = f"component {quoted(name)} is not a plain folder name"
            raise CheckpointError(problem, where=visible(str(index)))
        found.append(f"{name}/")
    return found


def _part(root: Path, folder: str, prefix: str, names: Iterable[str]) -> _Part | None:
    where = visible(str(root / folder))
    inside = [name[len(folder) :] for name in names if name.startswith(folder)]
    chosen, others = choose([name for name in inside if "/" not in name], where)
    if chosen is None:
        return None
    if others:
        shown = ", ".join(visible(name) for name in others)
        _LOG.warning("%s: %s is read; not read: %s", where, visible(chosen.name), shown)
    if chosen.is_index:
        return _sharded(folder, prefix, root / folder / chosen.name)
    return _Part(prefix, (folder + chosen.name,))


def _sharded(folder: str, prefix: str, index: Path) -> _Part:
    weight_map = {name: folder + shard for name, shard in read_index(index).items()}
    return _Part(prefix, tuple(dict.fromkeys(weight_map.values())), folder + index.name, weight_map)


def _build(
    place: tuple[str, Path, Kind], parts: Iterable[_Part], names: Iterable[str], max_header: int
) -> Checkpoint:
    address, root, kind = place
    files = [name for part in parts for name in part.files]
    stamps = {name: stamp(root / name) for name in dict.fromkeys([*files, *names])}
    headers = {name: read_header(root / name, max_header=max_header) for name in files}
    tensors: dict[str, TensorRef] = {}
    for part in parts:
        own = {name: headers[name] for name in part.files}
        if part.weight_map is not None:
            check_index(part.weight_map, own, visible(str(root / part.index)))
        for name, header in own.items():
            tensors |= _refs(root / name, header, part.prefix)
    return Checkpoint(address, root, kind, headers, stamps, tensors)


def _refs(file: Path, header: Header, prefix: str) -> dict[str, TensorRef]:
    return {
        prefix + entry.name: TensorRef(
            name=prefix + entry.name,
            dtype=entry.dtype,
            shape=entry.shape,
            nbytes=entry.nbytes,
            file=file,
            start=header.data_start + entry.begin,
        )
        for entry in header.entries
    }


def _no_weights(root: Path, names: Iterable[str]) -> CheckpointError:
    where = visible(str(root))
    if any(is_pickle_name(name) for name in names):
        return CheckpointError("the weights here are pickles only", where=where, hint=_CONVERT)
    if any(name.endswith(".safetensors") for name in names):
        problem = "safetensors files, but none that this folder's config or index names"
        return CheckpointError(problem, where=where, hint="give the one meant as a file")
    return CheckpointError("no safetensors files in this folder", where=where, hint="download them")
