"""The moment a finished sibling takes the output's name: one rename, so old or new, never between.

Never copies and never writes data. Everything it moves has been synced before.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from surgery.errors import OutputError
from surgery.store.sink import reported, sync_folder
from surgery.store.staging import aside
from surgery.store.text import visible

_NO_REPLACE, _EXCHANGE = 1, 2
_HERE = -100
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


def publish(staged: Path, target: Path, *, force: bool) -> None:
    """Give `staged` the name `target` and bring that to the disk.

    With `force` a folder that was there ends under the name `staged`, for the caller to remove.

    Raises:
        OutputError: the target exists (without `force`) or cannot be replaced.
    """
    give_name(staged, target, force=force)
    sync_folder(target.parent, target)


def give_name(staged: Path, target: Path, *, force: bool) -> None:
    """Do what `publish` does, but leave it to the caller to sync the folder."""
    with reported(target):
        if not force:
            _rename_new(staged, target)
        elif staged.is_dir() and target.is_dir():
            _exchange(staged, target)
        else:
            staged.replace(target)


def keep_rights(descriptor: int, target: Path) -> None:
    """Give an open file or folder the mode, and where allowed the owner, of an existing target."""
    with reported(target), suppress(FileNotFoundError):
        info = target.stat()
        # Giving a file away is root's right; to keep the mode is all that others can do.
        with suppress(PermissionError):
            os.fchown(descriptor, info.st_uid, info.st_gid)
        os.fchmod(descriptor, info.st_mode & 0o7777)


def _rename_new(staged: Path, target: Path) -> None:
    try:
        if _renameat2(staged, target, _NO_REPLACE):
            return
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        staged.rename(target)
    except OSError as error:
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
            raise
        raise exists(target) from error


def exists(target: Path) -> OutputError:
    """Return the error for an output that is there already."""
    return OutputError(
        "the output exists already",
        where=visible(str(target)),
        hint="choose another name, or use --force to replace it",
    )


def _exchange(staged: Path, target: Path) -> None:
    if _renameat2(staged, target, _EXCHANGE):
        return
    old = aside(target)
    target.rename(old)
    try:
        staged.rename(target)
    except OSError:
        old.rename(target)
        raise
    with suppress(OSError):
        shutil.rmtree(old, ignore_errors=True)


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    """Rename with `flag` and return True, or False where the system has no such call."""
    # Imported here because reading a model never needs it.
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    if call(_HERE, os.fsencode(source), _HERE, os.fsencode(target), flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code))
