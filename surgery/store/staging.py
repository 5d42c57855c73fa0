"""Hidden siblings of an output while it is being made, and their removal. Never touches a target.

A sibling is called `.surgery-<pid>-<random>.part` and locked by its maker, so that what a killed
process left behind can be told from what a living one still writes, also across containers.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from surgery.store.files import close
from surgery.store.sink import reported, sync_folder

_PART = re.compile(r"\.surgery-(?P<pid>\d{1,9})-[0-9a-f]+\.part")
# A disk that has just failed once may let go of a file at a second try.
_TRIES = 3
_OLD = re.compile(r"\.surgery-(?P<pid>\d{1,9})-[0-9a-f]+\.(?P<name>.+)\.old")


@contextmanager
def staged_file(target: Path) -> Iterator[tuple[int, Path]]:
    """Yield (descriptor, path) of a new file beside `target`; it is gone afterwards if not renamed.

    Its mode is what the umask gives to a new file.
    """
    path = _sibling(target, "part")
    descriptor = -1
    # A signal may be heard between the call that makes the file and the next line of Python.
    try:
        with reported(target):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        _lock(descriptor)
        yield descriptor, path
    finally:
        _surely(_remove_file, path)
        if descriptor >= 0:
            close(descriptor)


@contextmanager
def staged_folder(target: Path) -> Iterator[tuple[int, Path]]:
    """Yield (descriptor, path) of a new folder beside `target`; what has that name is removed."""
    path = _sibling(target, "part")
    descriptor = -1
    try:
        with reported(target):
            path.mkdir()
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        _lock(descriptor)
        yield descriptor, path
    finally:
        _surely(_remove_folder, path)
        if descriptor >= 0:
            close(descriptor)


@contextmanager
def part_of(staged: Path, name: str, target: Path, nbytes: int) -> Iterator[int]:
    """Yield a descriptor of a new file `name` in the folder that `staged_folder` made.

    Args:
        name: relative, with '/'; folders on the way are made.
        nbytes: what will be written, for the error where there is no room.
    """
    path = staged / name
    with reported(target, nbytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        yield descriptor
    finally:
        close(descriptor)


def sync_folders(staged: Path, names: Iterable[str], target: Path) -> None:
    """Bring the entries of a folder, and of those that files of these names lie in, to the disk."""
    folders = {staged}
    for name in names:
        folders.update((staged / name).parents[: name.count("/")])
    for folder in sorted(folders, reverse=True):
        sync_folder(folder, target)


def aside(target: Path) -> Path:
    """Return a hidden name beside `target` for what it held before; a later run can tell whose."""
    return _sibling(target, f"{target.name}.old")


def remove_litter(target: Path) -> None:
    """Remove what killed runs left beside `target`, and put an old folder back that one moved."""
    for entry in sorted(target.parent.iterdir()):
        if (found := _PART.fullmatch(entry.name)) and _abandoned(entry, int(found["pid"])):
            _remove(entry)
        found = _OLD.fullmatch(entry.name)
        if found and found["name"] == target.name and _abandoned(entry, int(found["pid"])):
            _restore(entry, target)


def _restore(entry: Path, target: Path) -> None:
    if target.exists():
        _remove(entry)
    else:
        with reported(target):
            entry.rename(target)


def _sibling(target: Path, suffix: str) -> Path:
    return target.with_name(f".surgery-{os.getpid()}-{token_hex(4)}.{suffix}")


def _abandoned(path: Path, pid: int) -> bool:
    if _alive(pid):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _lock(descriptor)
    finally:
        close(descriptor)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _lock(descriptor: int) -> bool:
    """Lock without waiting; on a file system without locks the process id has to be enough."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _surely(remove: Callable[[Path], None], path: Path) -> None:
    # A signal may be heard in the middle of the first try; the first one silences the others.
    try:
        remove(path)
    finally:
        remove(path)


def _remove_file(path: Path) -> None:
    for _ in range(_TRIES):
        with suppress(OSError):
            path.unlink(missing_ok=True)
            return


def _remove_folder(path: Path) -> None:
    for _ in range(_TRIES):
        try:
            shutil.rmtree(path, ignore_errors=True)
        except OSError as error:
            # Some failures are let through; one can hide the signal that came just before it.
            if error.__context__ and not isinstance(error.__context__, Exception):
                raise error.__context__ from None


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
