"""Every file beneath a model folder, links followed, in a fixed order. Opens no file."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from surgery.errors import CheckpointError
from surgery.store.files import unreadable
from surgery.store.text import visible

_DEEPEST = 32
# A clone's history is no part of the model, and its LFS store holds every weight a second time.
_NOT_MODEL = frozenset({".git"})


def walk(root: Path) -> tuple[str, ...]:
    """Return the path, relative to `root` and with '/', of every file beneath it, sorted.

    Raises:
        CheckpointError: a link that leads nowhere or in a circle, a pipe, a device, or a folder
            that cannot be read.
    """
    return tuple(sorted(_files(root, "", ())))


def _files(folder: Path, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    try:
        info = folder.stat()
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error
    here = (info.st_dev, info.st_ino)
    if here in above or len(above) > _DEEPEST:
        problem = "a link leads back to a folder above it" if here in above else "too many levels"
        raise CheckpointError(problem, where=visible(str(folder)), hint="remove the link")
    for entry in entries:
        if entry.name in _NOT_MODEL or _is_litter(entry.name):
            continue
        mode = _mode(entry)
        if stat.S_ISDIR(mode):
            yield from _files(entry, f"{prefix}{entry.name}/", (*above, here))
        elif stat.S_ISREG(mode):
            yield prefix + entry.name
        else:
            problem = "a pipe, socket or device lies among the files"
            raise CheckpointError(problem, where=visible(str(entry)), hint="remove it")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise unreadable(path, error) from error


def _is_litter(name: str) -> bool:
    return name.startswith(".surgery-") and name.endswith(".part")
