"""What of an edited model goes to the Hub: which files, and which of them the Hub has already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from surgery.errors import HubError, UsageError
from surgery.patches.undo_data import is_undo_data
from surgery.provenance import is_pinned
from surgery.report import Operation, Record
from surgery.store.checkpoint import Checkpoint
from surgery.store.hub_address import parse
from surgery.store.hub_client import Repository, resolve
from surgery.store.hub_push import Outgoing, outgoing
from surgery.store.record import beside
from surgery.store.text import visible

_KEPT_HIDDEN = (".gitattributes", ".gitignore")
# Below this a copy by the Hub spares nothing.
_LARGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Files:
    """Path in the repository -> file, and what is left out."""

    pushed: Mapping[str, Path]
    left_out: tuple[str, ...]


def files_of(model: Checkpoint, undo: Path | None) -> Files:
    """All that is pushed of a model of this machine: no hidden files, and no undo data unasked.

    Args:
        undo: a patch or undo file to push as well.

    Raises:
        UsageError: what is named as undo data is none.
    """
    alone = model.kind in {"file", "dduf"}
    every = (model.root, beside(model.root)) if alone else ()
    found = {path.name: path for path in every} or {n: model.path(n) for n in model.stamps}
    out = tuple(name for name, path in found.items() if _is_hidden(name) or is_undo_data(path))
    pushed = {name: path for name, path in found.items() if name not in out}
    if undo is not None:
        if not is_undo_data(undo):
            hint = "give what --save-patch or --undo-file wrote"
            raise UsageError("this is no undo data", where=visible(str(undo)), hint=hint)
        inside = undo.resolve().is_relative_to(model.root.resolve()) and not alone
        name = undo.resolve().relative_to(model.root.resolve()).as_posix() if inside else undo.name
        if name in pushed:
            raise UsageError("its name is one of the model's files", where=visible(str(undo)))
        pushed[name] = undo
    return Files(pushed, tuple(name for name in out if name not in pushed))


def base_of(record: Record) -> Repository | None:
    """The base on the Hub, None where it was elsewhere or cannot be seen any more."""
    address = parse(record.base.address) if is_pinned(record.base.address) else None
    try:
        return resolve(replace(address, path="")) if address else None
    except HubError:
        return None


def hashed(
    files: Files, base: Repository | None, target: str, on_bytes: Callable[[int], None]
) -> list[Outgoing]:
    """Every file with its hashes, and where the Hub has the same one in the base's repository."""
    twins = {}
    if base is not None and base.address.repo != target:
        known = [file for file in base.files.values() if file.shared and file.size >= _LARGE]
        twins = {file.oid: (base.address, file.path) for file in known}
    found = []
    for name, path in files.pushed.items():
        one = outgoing(name, path)
        on_bytes(one.size)
        found.append(replace(one, twin=twins.get(one.sha256)))
    return found


def operation(file: Outgoing, is_there: bool) -> Operation:
    """What happens to a file."""
    if is_there:
        return Operation("keep", file.path, file.size)
    return Operation("copy" if file.twin else "upload", file.path, file.size)


def _is_hidden(name: str) -> bool:
    hidden = any(part.startswith(".") for part in name.split("/"))
    return hidden and name not in _KEPT_HIDDEN
