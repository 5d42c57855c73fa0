"""Opens a checkpoint: finds its weight files, reads their headers, names their tensors.

Pickles are never read: beside safetensors they are side files, alone they are an error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.address import locate, on_hub
from surgery.store.contents import Checkpoint, Kind, TensorRef
from surgery.store.files import Stamp, is_plain_name, stamp
from surgery.store.header import MAX_HEADER, Header, read_header
from surgery.store.marker import check_whole
from surgery.store.pickled import ALLOW, Origin, unpickled
from surgery.store.strict_json import load_file
from surgery.store.text import quoted, visible
from surgery.store.tree import walk
from surgery.store.weights import check_index, choose, is_index_name, is_pickle_name, read_index

__all__ = ["Checkpoint", "TensorRef", "open_checkpoint"]

_LOG = logging.getLogger("surgery")
_CONVERT = "convert it to safetensors first; pickles can run code and are never opened"


@dataclass(frozen=True, slots=True)
class Part:
    """The weights of one component: file names beneath the root, and the index if there is one."""

    prefix: str
    files: tuple[str, ...]
    index: str = ""
    weight_map: Mapping[str, str] | None = None


def open_checkpoint(
    address: str | Path, *, max_header: int = MAX_HEADER, allow_pickle: bool = False
) -> Checkpoint:
    """Open the model at `address` from its headers alone.

    Args:
        address: `atelier`, a safetensors file, a `*.safetensors.index.json`, a diffusers folder,
            or the folder of one component (a config.json beside its weights), or a place on the
            Hub (`org/name[@revision]`, `hf://org/name[@revision]/file`).
        max_header: bytes that a header may have.
        allow_pickle: convert a .ckpt, .bin or .pt with torch's restricted loader, in a process of
            its own; what is opened then is the temporary safetensors file made from it.

    Raises:
        CheckpointError: nothing there, damaged, ambiguous, pickles only, or half edited in place.
        HubError: an address on the Hub that cannot be read.
    """
    if (remote := on_hub(address)) is not None:
        # Imported here because reading a model of this machine never needs it.
        from surgery.store.hub import open_hub

        return open_hub(remote, max_header=max_header)
    path = locate(address)
    if path.is_dir():
        return _open_folder(str(address), path, max_header)
    if path.name.endswith(".json"):
        part = sharded("", "", path)
        place: tuple[str, Path, Kind] = (str(address), path.parent, "sharded")
        return build(place, [part], [path.name], max_header)
    if path.suffix == ".dduf":
        # Imported here because no other model needs zipfile.
        from surgery.store.dduf import open_dduf

        return open_dduf(str(address), path, max_header)
    if is_pickle_name(path.name) and path.is_file():
        if not allow_pickle:
            raise CheckpointError("this is a pickle file", where=visible(str(path)), hint=ALLOW)
        return open_file(str(address), unpickled(path), max_header)
    return open_file(str(address), path, max_header)


def open_file(address: str, source: Path | Origin, max_header: int) -> Checkpoint:
    """Open a single safetensors file, or one that was made from a pickle."""
    path, origin = (source.weights, source) if isinstance(source, Origin) else (source, None)
    before = stamp(path)
    check_whole(path)
    header = read_header(path, max_header=max_header)
    tensors = _refs(path, header, "")
    headers, stamps = {path.name: header}, {path.name: before}
    return Checkpoint(address, path, "file", headers, stamps, tensors, origin)


def _open_folder(address: str, root: Path, max_header: int) -> Checkpoint:
    names = walk(root)
    return build((address, root, "folder"), folder_parts(root, names), names, max_header)


def folder_parts(root: Path, names: Sequence[str]) -> list[Part]:
    """Return the weights of each component of a model folder; of its files only JSON is read.

    Raises:
        CheckpointError: no model folder, no safetensors in it, or several to choose from.
    """
    if "model_index.json" in names:
        prefixes = components(root / "model_index.json")
        found = [_part(root, prefix, prefix, names) for prefix in prefixes]
    elif "config.json" in names or any(map(is_index_name, names)):
        found = [_part(root, "", "", names)]
    else:
        problem = "no model_index.json and no config.json in this folder"
        hint = "give a weight file, its *.safetensors.index.json, or the model's own folder"
        raise CheckpointError(problem, where=visible(str(root)), hint=hint)
    parts = [part for part in found if part]
    if not parts:
        raise _no_weights(root, names)
    return parts


def components(index: Path) -> list[str]:
    """Return the folder, with its slash, of each component that a model_index.json names."""
    found = []
    for name, value in load_file(index).items():
        if name.startswith("_") or not isinstance(value, list) or not all(value):
            continue
        if not is_plain_name(name):
            problem = f"component {quoted(name)} is not a plain folder name"
            raise CheckpointError(problem, where=visible(str(index)))
        found.append(f"{name}/")
    return found


def _part(root: Path, folder: str, prefix: str, names: Iterable[str]) -> Part | None:
    where = visible(str(root / folder))
    inside = [name[len(folder) :] for name in names if name.startswith(folder)]
    chosen, others = choose([name for name in inside if "/" not in name], where)
    if chosen is None:
        return None
    if others:
        shown = ", ".join(visible(name) for name in others)
        _LOG.warning("%s: %s is read; not read: %s", where, visible(chosen.name), shown)
    if chosen.is_index:
        return sharded(folder, prefix, root / folder / chosen.name)
    return Part(prefix, (folder + chosen.name,))


def sharded(folder: str, prefix: str, index: Path) -> Part:
    """Return the weights that a shard index names.

    Args:
        folder: where the index lies beneath the root, with its slash, or "".
        prefix: what its tensors' names begin with in the checkpoint.
    """
    weight_map = {name: folder + shard for name, shard in read_index(index).items()}
    return Part(prefix, tuple(dict.fromkeys(weight_map.values())), folder + index.name, weight_map)


def build(
    place: tuple[str, Path, Kind], parts: Iterable[Part], names: Iterable[str], max_header: int
) -> Checkpoint:
    """Open the weights of `parts`, with `names` as all files of the model.

    Args:
        place: the address, the root and the kind of the checkpoint.
    """
    root = place[1]
    parts = list(parts)
    files = [name for part in parts for name in part.files]
    stamps = {name: stamp(root / name) for name in dict.fromkeys([*files, *names])}
    for name in files:
        check_whole(root / name)
    headers = {name: read_header(root / name, max_header=max_header) for name in files}
    return assembled(place, parts, headers, stamps)


def assembled(
    place: tuple[str, Path, Kind],
    parts: Iterable[Part],
    headers: Mapping[str, Header],
    stamps: Mapping[str, Stamp],
) -> Checkpoint:
    """Return the checkpoint of files whose headers were read; an index is checked against them."""
    address, root, kind = place
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
