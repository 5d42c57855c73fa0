"""Opens a model on the Hub from its headers alone, and says which of its files are the model.

A repository holds many copies of one model: pickles, half precision, other programs' formats. Only
what an open folder would read, and the small files beside it, belongs to the checkpoint.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from surgery.errors import CheckpointError
from surgery.store.contents import Checkpoint, Kind, TensorRef
from surgery.store.disguise import GGUF
from surgery.store.files import stamp
from surgery.store.header import read_header
from surgery.store.hub_address import HubAddress
from surgery.store.hub_client import Repository, resolve
from surgery.store.hub_errors import not_cached
from surgery.store.hub_headers import read_headers, stamp_of
from surgery.store.local import open_local
from surgery.store.parts import (
    Part,
    Terms,
    assembled,
    build,
    components,
    folder_parts,
    open_file,
    sharded,
)
from surgery.store.pickled import ALLOW
from surgery.store.ranges import RangeReader
from surgery.store.record import NAME
from surgery.store.remote import HubCheckpoint, RemoteRef, check_room
from surgery.store.text import quoted, size, visible
from surgery.store.weights import is_index_name, is_pickle_name

_LOG = logging.getLogger("surgery")
_SIDE = re.compile(r".*\.(?:json|txt|model|md|jinja|spm)|(?:LICENSE|NOTICE)[^/]*", re.IGNORECASE)
_DDUF = ".dduf"
_SHOWN = 5


def open_hub(asked: HubAddress, terms: Terms) -> Checkpoint:
    """Open the model at a place on the Hub; of safetensors only headers are fetched.

    Raises:
        HubError: the Hub does not give it.
        CheckpointError: what is there is damaged, ambiguous, or pickles without leave.
        ResourceError: too little room for what can only be opened whole.
    """
    repository = resolve(asked)
    path = asked.path
    if path in repository.files:
        return _open_file(repository, path, terms)
    inner = f"{path}/" if path else ""
    names = [name[len(inner) :] for name in repository.files if name.startswith(inner)]
    if not names:
        raise repository.missing(path)
    if not {"model_index.json", "config.json"}.intersection(names):
        only = _only_weights(repository, names, terms.allow_pickle)
        return _open_file(repository, inner + only, terms)
    return _open_folder(repository, inner, names, terms)


def _open_file(repository: Repository, path: str, terms: Terms) -> Checkpoint:
    folder, _, name = path.rpartition("/")
    inner, root = (f"{folder}/" if folder else ""), repository.root / folder
    if is_index_name(name):
        part = sharded("", "", repository.fetch(path))
        return _built(repository, inner, ("sharded", [part], [name]), terms.max_header)
    address = str(replace(repository.address, path=path))
    if is_pickle_name(name) and not terms.allow_pickle:
        raise CheckpointError("this is a pickle file", where=address, hint=ALLOW)
    if is_pickle_name(name) or name.endswith(_DDUF):
        if (record := f"{path}.{NAME}") in repository.files:
            repository.fetch(record)
        return open_local(address, _whole(repository, path), terms)
    if name.endswith(".gguf"):
        raise CheckpointError(f"this is {GGUF[0]}", where=address, hint=GGUF[1])
    if not name.endswith(".safetensors"):
        hint = "give a .safetensors file or the whole repository"
        raise CheckpointError(
            f"{quoted(name)} is not read from the Hub", where=str(repository.asked), hint=hint
        )
    headers, stamps, readers = read_headers(repository, inner, [name], terms.max_header)
    plain = assembled((address, root / name, "file"), [Part("", (name,))], headers, stamps)

    def reopen() -> Checkpoint:
        return open_file(address, root / name, terms.max_header)

    return _remote(plain, (repository, inner), readers, reopen)


def _open_folder(
    repository: Repository, inner: str, names: Sequence[str], terms: Terms
) -> Checkpoint:
    root = repository.root / inner
    prefixes = [""]
    if "model_index.json" in names:
        prefixes = components(repository.fetch(f"{inner}model_index.json"))
    own = [name for name in names if _is_in(name, prefixes)]
    for name in own:
        if is_index_name(name.rpartition("/")[2]):
            repository.fetch(inner + name)
    if repository.offline:
        _check_cached(repository, own, prefixes)
    fetch = (lambda name: _whole(repository, inner + name)) if terms.allow_pickle else None
    parts = folder_parts(root, own, fetch)
    chosen = {name for part in parts for name in (*part.files, part.index)}
    chosen |= _carried(own, [prefix for prefix in prefixes if prefix], parts)
    kept = [name for name in own if name in chosen or _is_side(name)]
    return _built(repository, inner, ("folder", parts, kept), terms.max_header)


def _carried(names: Sequence[str], prefixes: Sequence[str], parts: Sequence[Part]) -> set[str]:
    """The pickles of components that have nothing else and stay as they are."""
    without = set(prefixes) - {part.prefix for part in parts}
    return {
        name
        for name in names
        if f"{name.rpartition('/')[0]}/" in without and (is_pickle_name(name) or ".bin." in name)
    }


def _whole(repository: Repository, path: str) -> Path:
    """Where a file lies that can only be opened whole: fetched now, if need be."""
    if path in repository.files and not repository.cached(path):
        needed = repository.files[path].size
        check_room(repository, needed)
        _LOG.warning("%s: downloading all of %s to open it", visible(path), size(needed))
    return repository.fetch(path)


def _built(
    repository: Repository,
    inner: str,
    content: tuple[Kind, list[Part], list[str]],
    max_header: int,
) -> Checkpoint:
    kind, parts, names = content
    address = str(replace(repository.address, path=inner.rstrip("/")))
    root = repository.root / inner
    files = [name for part in parts if not part.origin for name in part.files]
    headers, stamps, readers = read_headers(repository, inner, files, max_header)
    for part in parts:
        if part.origin:
            headers[part.files[0]] = read_header(part.origin.weights, max_header=max_header)
            stamps[part.files[0]] = stamp(part.origin.weights)
    converted = {name for part in parts if part.origin for name in part.origin.sources}
    names = [name for name in names if name not in converted]
    beside = [name for name in names if name not in stamps]
    stamps |= {name: stamp_of(repository, inner + name) for name in beside}
    plain = assembled((address, root, kind), parts, headers, stamps)

    def reopen() -> Checkpoint:
        return build((address, root, kind), parts, names, max_header)

    return _remote(plain, (repository, inner), readers, reopen)


def _remote(
    plain: Checkpoint,
    place: tuple[Repository, str],
    readers: Mapping[str, RangeReader],
    reopen: Callable[[], Checkpoint],
) -> HubCheckpoint:
    by_file = {plain.path(name): reader for name, reader in readers.items()}
    tensors = {name: _ref(ref, by_file.get(ref.file)) for name, ref in plain.items()}
    return HubCheckpoint(
        **{**_values(plain), "tensors": tensors},
        repository=place[0],
        inner=place[1],
        readers=readers,
        reopen=reopen,
    )


def _ref(ref: TensorRef, reader: RangeReader | None) -> TensorRef:
    return RemoteRef(**_values(ref), reader=reader) if reader else ref


def _values(one: Checkpoint | TensorRef) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _only_weights(repository: Repository, names: Iterable[str], allow_pickle: bool) -> str:
    here = [name for name in names if "/" not in name]
    found = [n for n in here if is_index_name(n)] or [n for n in here if n.endswith(".safetensors")]
    found = found or [n for n in here if n.endswith(_DDUF)]
    found = found or [n for n in here if is_pickle_name(n) and allow_pickle]
    if len(found) == 1:
        return found[0]
    place, form = str(repository.asked), f"hf://{repository.asked.repo}/FILE"
    if found:
        shown = ", ".join(quoted(name) for name in sorted(found)[:_SHOWN])
        problem = f"{len(found)} files of weights to choose from: {shown}"
        raise CheckpointError(problem, where=place, hint=f"give one as {form}")
    if repository.offline:
        raise not_cached(repository.asked)
    if any(map(is_pickle_name, here)):
        raise CheckpointError("pickles only at the top of the repository", where=place, hint=ALLOW)
    raise CheckpointError(
        "no safetensors files at the top of the repository",
        where=place,
        hint=f"give a file as {form}",
    )


def _check_cached(repository: Repository, names: Sequence[str], prefixes: Iterable[str]) -> None:
    """Refuse a cache that holds a part of the model only; nothing else would notice."""
    for prefix in prefixes:
        inside = [name[len(prefix) :] for name in names if name.startswith(prefix)]
        weights = any(name.endswith(".safetensors") or is_pickle_name(name) for name in inside)
        if not inside or ("config.json" in inside and not weights):
            raise not_cached(repository.asked, prefix.rstrip("/"))


def _is_in(name: str, prefixes: Sequence[str]) -> bool:
    return "/" not in name or any(prefix and name.startswith(prefix) for prefix in prefixes)


def _is_side(name: str) -> bool:
    base = name.rpartition("/")[2]
    return bool(_SIDE.fullmatch(base)) and not re.search(r"\.index\.(?:.+\.)?json$", base)
