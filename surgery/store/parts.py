"""The weights of a model folder by component, and the checkpoint that they make up.

Works on a folder of this machine and on what `hub` knows of one: names, headers and stamps. A
component whose weights are pickles only is converted, where the user allows it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.contents import Checkpoint, Kind, TensorRef
from surgery.store.files import Stamp, is_plain_name, stamp
from surgery.store.header import MAX_HEADER, Header, read_header
from surgery.store.marker import check_whole
from surgery.store.pickled import ALLOW, Origin, convert
from surgery.store.strict_json import load_file
from surgery.store.text import quoted, visible
from surgery.store.weights import (
    PICKLE,
    WeightSet,
    check_index,
    choose,
    is_index_name,
    is_pickle_name,
    read_index,
)

_LOG = logging.getLogger("surgery")
_NAMED = "give the one meant as a file"
Pickles = Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be read.

    Args:
        max_header: bytes that a header may have.
        allow_pickle: whether weights that are pickles are converted.
    """

    max_header: int = MAX_HEADER
    allow_pickle: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The weights of one component.

    Args:
        prefix: what its tensors' names begin with in the checkpoint.
        files: names beneath the root; of converted weights the name they have in an output.
        index: the shard index, "" where there is none, and what it says.
        origin: the pickles that its one file is made from.
    """

    prefix: str
    files: tuple[str, ...]
    index: str = ""
    weight_map: Mapping[str, str] | None = None
    origin: Origin | None = None


def folder_parts(root: Path, names: Sequence[str], pickles: Pickles | None = None) -> list[Part]:
    """Return the weights of each component of a model folder; of its files only JSON is read.

    Args:
        pickles: returns where a pickle of this relative name lies, for a component that has
            nothing else and is converted; None passes such a component over.

    Raises:
        CheckpointError: no model folder, no weights in it, or several to choose from.
    """
    if "model_index.json" in names:
        prefixes = components(root / "model_index.json")
    elif "config.json" in names or any(map(is_index_name, names)):
        prefixes = [""]
    else:
        problem = "no model_index.json and no config.json in this folder"
        hint = "give a weight file, its *.safetensors.index.json, or the model's own folder"
        raise CheckpointError(problem, where=visible(str(root)), hint=hint)
    parts = []
    for prefix in prefixes:
        inside = [name[len(prefix) :] for name in names if name.startswith(prefix)]
        own = [name for name in inside if "/" not in name]
        part = _safe_part(root, prefix, own)
        if part is None and pickles:
            part = _pickled_part(root / prefix, prefix, own, pickles)
        parts += [part] if part else []
    if not parts:
        raise _no_weights(root, names, pickles is not None)
    convert([part.origin for part in parts if part.origin])
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


def sharded(folder: str, prefix: str, index: Path) -> Part:
    """Return the weights that a shard index names.

    Args:
        folder: where the index lies beneath the root, with its slash, or "".
        prefix: what its tensors' names begin with in the checkpoint.
    """
    weight_map = {name: folder + shard for name, shard in read_index(index).items()}
    return Part(prefix, tuple(dict.fromkeys(weight_map.values())), folder + index.name, weight_map)


def open_file(address: str, path: Path, max_header: int) -> Checkpoint:
    """Open a single safetensors file."""
    return build((address, path, "file"), [Part("", (path.name,))], [], max_header)


def build(
    place: tuple[str, Path, Kind], parts: Iterable[Part], names: Iterable[str], max_header: int
) -> Checkpoint:
    """Open the weights of `parts`, with `names` as all files of the model.

    Args:
        place: the address, the root and the kind of the checkpoint.
    """
    parts = list(parts)
    origins = {part.files[0]: part.origin for part in parts if part.origin}
    root = place[1].parent if place[2] == "file" else place[1]
    files = {
        name: origins[name].weights if name in origins else root / name
        for part in parts
        for name in part.files
    }
    beside = {name: root / name for name in names if name not in files}
    for origin in origins.values():
        for name in origin.sources:
            beside.pop(name, None)
    stamps = {name: stamp(path) for name, path in (files | beside).items()}
    for path in files.values():
        check_whole(path)
    headers = {name: read_header(path, max_header=max_header) for name, path in files.items()}
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
    origins: dict[str, Origin] = {}
    for part in parts:
        own = {name: headers[name] for name in part.files}
        if part.weight_map is not None:
            check_index(part.weight_map, own, visible(str(root / part.index)))
        if part.origin:
            origins[part.files[0]] = part.origin
        for name, header in own.items():
            file = root if kind == "file" else root / name
            file = part.origin.weights if part.origin else file
            tensors |= _refs(file, header, part.prefix)
    return Checkpoint(address, root, kind, headers, stamps, tensors, origins)


def _safe_part(root: Path, folder: str, names: Sequence[str]) -> Part | None:
    chosen = _chosen(root / folder, names)
    if chosen is None:
        return None
    if chosen.is_index:
        return sharded(folder, folder, root / folder / chosen.name)
    return Part(folder, (folder + chosen.name,))


def _pickled_part(place: Path, folder: str, names: Sequence[str], pickles: Pickles) -> Part | None:
    """Shards of a pickle become one file: an index cannot name both kinds."""
    chosen = _chosen(place, names, pickles=True)
    if chosen is None:
        return None
    own, weight_map = [chosen.name], None
    target = folder + chosen.as_safetensors
    if chosen.is_index:
        shards = read_index(pickles(folder + chosen.name), PICKLE)
        own += dict.fromkeys(shards.values())
        weight_map = dict.fromkeys(shards, target)
    sources = {folder + name: pickles(folder + name) for name in own}
    origin = Origin(sources, chosen.as_safetensors)
    return Part(folder, (target,), folder + own[0], weight_map, origin)


def _chosen(folder: Path, names: Iterable[str], *, pickles: bool = False) -> WeightSet | None:
    where = visible(str(folder))
    chosen, others = choose(names, where, pickles=pickles)
    if chosen and others:
        shown = ", ".join(visible(name) for name in others)
        _LOG.warning("%s: %s is read; not read: %s", where, visible(chosen.name), shown)
    return chosen


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


def _no_weights(root: Path, names: Iterable[str], allowed: bool) -> CheckpointError:
    where = visible(str(root))
    if any(is_pickle_name(name) for name in names):
        hint = _NAMED if allowed else ALLOW
        return CheckpointError("the weights here are pickles only", where=where, hint=hint)
    if any(name.endswith(".safetensors") for name in names):
        problem = "safetensors files, but none that this folder's config or index names"
        return CheckpointError(problem, where=where, hint=_NAMED)
    return CheckpointError("no safetensors files in this folder", where=where, hint="download them")
