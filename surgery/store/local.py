"""Opens what lies on this machine: a file, a folder, a shard index, a DDUF file, a pickle."""

from __future__ import annotations

from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.contents import Checkpoint
from surgery.store.parts import Part, Terms, build, folder_parts, open_file, sharded
from surgery.store.pickled import ALLOW, Origin, convert
from surgery.store.text import visible
from surgery.store.tree import walk
from surgery.store.weights import is_pickle_name


def open_local(address: str, path: Path, terms: Terms) -> Checkpoint:
    """Open the model at a path from its headers alone.

    Args:
        address: what the user called it.

    Raises:
        CheckpointError: damaged, ambiguous, a pickle without leave, or half edited in place.
    """
    if path.is_dir():
        names = walk(path)
        parts = folder_parts(path, names, path.joinpath if terms.allow_pickle else None)
        return build((address, path, "folder"), parts, names, terms.max_header)
    if path.name.endswith(".json"):
        part = sharded("", "", path)
        return build((address, path.parent, "sharded"), [part], [path.name], terms.max_header)
    if path.suffix == ".dduf":
        # Imported here because no other model needs zipfile.
        from surgery.store.dduf import open_dduf

        return open_dduf(address, path, terms.max_header)
    if is_pickle_name(path.name) and path.is_file():
        return _open_pickle(address, path, terms)
    return open_file(address, path, terms.max_header)


def _open_pickle(address: str, path: Path, terms: Terms) -> Checkpoint:
    if not terms.allow_pickle:
        raise CheckpointError("this is a pickle file", where=visible(str(path)), hint=ALLOW)
    origin = Origin({path.name: path}, f"{path.stem}.safetensors")
    convert([origin])
    part = Part("", (origin.weights.name,), origin=origin)
    return build((address, origin.weights, "file"), [part], [], terms.max_header)
