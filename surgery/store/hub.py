"""Opens a model on the Hub from its headers alone, and says which of its files are the model.

A repository holds many copies of one model: pickles, half precision, other programs' formats. Only
what an open folder would read, and the small files beside it, belongs to the checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from surgery.errors import CheckpointError, HubError
from surgery.store.checkpoint import (
    Checkpoint,
    Part,
    TensorRef,
    assembled,
    build,
    components,
    folder_parts,
    open_file,
    sharded,
)
from surgery.store.contents import Kind
from surgery.store.files import Stamp, stamp
from surgery.store.header import MAX_HEADER, Header, parse_header, read_header
from surgery.store.hub_address import HubAddress
from surgery.store.hub_client import Repository, resolve
from surgery.store.hub_errors import no_file, not_cached
from surgery.store.ranges import RangeReader
from surgery.store.remote import HubCheckpoint, RemoteRef
from surgery.store.text import nearest, quoted, size
from surgery.store.weights import is_index_name, is_pickle_name

_PREFIX = 8
# Enough for the header of most components at the first request.
_HEAD = 96 * 1024
_SIDE = re.compile(r".*\.(?:json|txt|model|md|jinja|spm)|(?:LICENSE|NOTICE)[^/]*", re.IGNORECASE)
_SHOWN = 5


def open_hub(asked: HubAddress, *, max_header: int = MAX_HEADER) -> Checkpoint:
    """Open the model at a place on the Hub; of its weights only headers are fetched.

    Raises:
        HubError: the Hub does not give it.
        CheckpointError: what is there is damaged, ambiguous, or pickles only.
    """
    repository = resolve(asked)
    path = asked.path
    if path in repository.files:
        return _open_file(repository, path, max_header)
    inner = f"{path}/" if path else ""
    names = [name[len(inner) :] for name in repository.files if name.startswith(inner)]
    if not names:
        if repository.offline:
            raise not_cached(asked, path)
        close = nearest(path, repository.files)
        raise no_file(repository.asked, path, (close,) if close else ())
    if not {"model_index.json", "config.json"}.intersection(names):
        return _open_file(repository, inner + _only_weights(repository, names), max_header)
    return _open_folder(repository, inner, names, max_header)


def _open_file(repository: Repository, path: str, max_header: int) -> Checkpoint:
    folder, _, name = path.rpartition("/")
    inner, root = (f"{folder}/" if folder else ""), repository.root / folder
    if is_index_name(name):
        part = sharded("", "", repository.fetch(path))
        return _built(repository, inner, ("sharded", [part], [name]), max_header)
    if not name.endswith(".safetensors"):
        hint = "give a .safetensors file or the whole repository"
        raise CheckpointError(
            f"{quoted(name)} is not read from the Hub", where=str(repository.asked), hint=hint
        )
    address = str(replace(repository.address, path=path))
    headers, stamps, readers = _headers(repository, inner, [name], max_header)
    plain = assembled((address, root, "file"), [Part("", (name,))], headers, stamps)
    plain = replace(plain, root=root / name)
    return _remote(
        plain, (repository, inner), readers, lambda: open_file(address, root / name, max_header)
    )


def _open_folder(
    repository: Repository, inner: str, names: Sequence[str], max_header: int
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
    parts = folder_parts(root, own)
    chosen = {name for part in parts for name in (*part.files, part.index)}
    kept = [name for name in own if name in chosen or _is_side(name)]
    return _built(repository, inner, ("folder", parts, kept), max_header)


def _built(
    repository: Repository,
    inner: str,
    content: tuple[Kind, list[Part], list[str]],
    max_header: int,
) -> Checkpoint:
    kind, parts, names = content
    address = str(replace(repository.address, path=inner.rstrip("/")))
    root = repository.root / inner
    files = [name for part in parts for name in part.files]
    headers, stamps, readers = _headers(repository, inner, files, max_header)
    stamps |= {name: _stamp(repository, inner + name) for name in names if name not in stamps}
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
        address=plain.address,
        root=plain.root,
        kind=plain.kind,
        headers=plain.headers,
        stamps=plain.stamps,
        tensors=tensors,
        repository=place[0],
        inner=place[1],
        readers=readers,
        reopen=reopen,
    )


def _ref(ref: TensorRef, reader: RangeReader | None) -> TensorRef:
    if reader is None:
        return ref
    return RemoteRef(
        name=ref.name,
        dtype=ref.dtype,
        shape=ref.shape,
        nbytes=ref.nbytes,
        file=ref.file,
        start=ref.start,
        reader=reader,
    )


def _headers(
    repository: Repository, inner: str, files: Iterable[str], max_header: int
) -> tuple[dict[str, Header], dict[str, Stamp], dict[str, RangeReader]]:
    headers, stamps, readers = {}, {}, {}
    for name in files:
        path = inner + name
        if path not in repository.files:
            raise _lost(repository, path)
        stamps[name] = _stamp(repository, path)
        if repository.cached(path):
            headers[name] = read_header(repository.root / path, max_header=max_header)
            continue
        address = replace(repository.address, path=path)
        reader = RangeReader(address, repository.url(path), repository.files[path].size)
        headers[name] = _read_header(reader, repository.files[path].size, str(address), max_header)
        readers[name] = reader
    return headers, stamps, readers


def _read_header(reader: RangeReader, total: int, where: str, max_header: int) -> Header:
    if total == 0:
        raise CheckpointError("the file is empty", where=where)
    head = reader.read(0, min(total, _HEAD))
    length = int.from_bytes(head[:_PREFIX], "little")
    end = _PREFIX + length
    if max_header < length <= total:
        problem = f"the header has {size(length)}, more than {size(max_header)}"
        raise CheckpointError(problem, where=where, hint="such a header takes long to read")
    if len(head) < end <= total:
        head += reader.read(len(head), end - len(head))
    return parse_header(head, total, where)


def _stamp(repository: Repository, path: str) -> Stamp:
    if repository.cached(path):
        return stamp(repository.root / path)
    return Stamp(0, 0, repository.files[path].size, 0)


def _lost(repository: Repository, path: str) -> HubError:
    if repository.offline:
        return not_cached(repository.asked, path)
    return no_file(repository.asked, path, ())


def _only_weights(repository: Repository, names: Iterable[str]) -> str:
    here = [name for name in names if "/" not in name]
    found = [n for n in here if is_index_name(n)] or [n for n in here if n.endswith(".safetensors")]
    if len(found) == 1:
        return found[0]
    place, form = str(repository.asked), f"hf://{repository.asked.repo}/FILE"
    if found:
        shown = ", ".join(quoted(name) for name in sorted(found)[:_SHOWN])
        problem = f"{len(found)} files of weights to choose from: {shown}"
        raise CheckpointError(problem, where=place, hint=f"give one as {form}")
    if repository.offline:
        raise not_cached(repository.asked)
    what = "pickles only" if any(map(is_pickle_name, here)) else "no safetensors files"
    raise CheckpointError(
        f"{what} at the top of the repository", where=place, hint=f"give a file as {form}"
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
