"""Whether an output may and can be written, told before any weight is read. Writes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from shutil import disk_usage

from surgery.errors import OutputError, ResourceError, UsageError
from surgery.store.clone import can_share
from surgery.store.contents import Checkpoint
from surgery.store.publish import exists
from surgery.store.record import check_beside
from surgery.store.sink import reported
from surgery.store.text import size, visible
from surgery.store.weights import is_pickle_name

_MODEL_FILES = ("model_index.json", "config.json")


def check_output(checkpoint: Checkpoint, out: Path, *, force: bool) -> Path:
    """Return the real place of `out`, links followed, when a model may be written there.

    Raises:
        OutputError: it is, holds or lies in an input; it exists (without `force`); it is of
            another kind or no model (with `force`); or its folder is missing or not writable.
    """
    with reported(out):
        return _checked(checkpoint, out, force=force)


def check_copy(
    checkpoint: Checkpoint, out: Path, changes: Iterable[str], *, force: bool, link: bool
) -> Path:
    """Return the real place of an edited copy; what would stop it is found before any download.

    Args:
        changes: names of the tensors that will change.
        link: whether files without a change get a second name instead of a copy.

    Raises:
        UsageError: a link into the cache of downloads is asked for.
        OutputError: as `check_output` does.
        ResourceError: too little room for it, and for a download to the same disk.
    """
    if link and checkpoint.is_remote:
        problem = "the cache of downloads is not for sharing files with"
        raise UsageError(problem, where="--link", hint="leave it out")
    target = check_output(checkpoint, out, force=force)
    changes = tuple(changes)
    if changes and checkpoint.kind in {"file", "dduf"}:
        check_beside(target, force=force)
    copied = {checkpoint.path(name): stamp.size for name, stamp in checkpoint.stamps.items()}
    changed = {checkpoint[name].file for name in changes}
    if link and checkpoint.kind in {"folder", "sharded"}:
        copied = {path: size for path, size in copied.items() if path in changed}
    whole = changed if checkpoint.kind == "dduf" else ()
    check_space(
        target,
        sum(copied.values()) + checkpoint.claims(target),
        lambda: sum(
            size
            for path, size in copied.items()
            if path not in whole and can_share(path, target.parent)
        ),
    )
    return target


def check_space(target: Path, needed: int, shared: Callable[[], int] = lambda: 0) -> None:
    """Raise ResourceError unless `needed` bytes are free where `target` will lie.

    Args:
        shared: returns how many of them will lie in blocks of another file, or a few more; asked
            only where the room would be too little.
    """
    with reported(target):
        free = disk_usage(target.parent).free
    if needed > free:
        needed -= shared()
    if needed > free:
        raise ResourceError(
            f"not enough room: {size(needed)} ({needed} bytes) are needed, "
            f"{size(free)} ({free} bytes) are free",
            where=visible(str(target)),
            hint="make room or write elsewhere",
        )


def real_place(out: Path) -> Path:
    """Return where `out` is, links followed.

    Raises:
        OutputError: it can be no place, or its folder is missing.
    """
    try:
        target = out.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise refused(out, f"no place to write: {visible(str(error))}", "check the path") from error
    if not target.parent.is_dir():
        problem = f"the folder {visible(str(target.parent))} does not exist"
        raise refused(target, problem, "make it first")
    return target


def check_writable(target: Path) -> None:
    """Raise OutputError unless new files can be made in the folder of `target`."""
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise refused(target, "its folder is not writable", "write elsewhere")


def refused(target: Path, what: str, hint: str) -> OutputError:
    """Return the error for an output that may not be written."""
    return OutputError(what, where=visible(str(target)), hint=hint)


def _checked(checkpoint: Checkpoint, out: Path, *, force: bool) -> Path:
    target = real_place(out)
    if checkpoint.kind == "file" and is_pickle_name(out.name):
        problem = "the output is a safetensors file, and this name says that it is a pickle"
        raise refused(target, problem, "end the name with .safetensors")
    if checkpoint.kind == "dduf" and out.suffix != checkpoint.root.suffix:
        raise refused(target, "the output is a DDUF file", "end the name with .dduf")
    _check_inputs(checkpoint, target)
    info = _stat(target)
    if info is not None:
        if not force:
            raise exists(target)
        _check_replaceable(checkpoint, target, info)
    check_writable(target)
    return target


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(path, f"cannot be looked at: {error.strerror}", "check the path") from error


def _check_inputs(checkpoint: Checkpoint, target: Path) -> None:
    here = next(_identities(target), None) if _stat(target) else None
    files = {(stamp.device, stamp.inode) for stamp in checkpoint.inputs.values()}
    if here in files:
        raise refused(target, "the output is an input", "choose another name")
    if checkpoint.kind not in {"file", "dduf"}:
        info = checkpoint.root.stat()
        if (info.st_dev, info.st_ino) in set(_identities(target)):
            problem = "the output is the input folder or lies inside it"
            raise refused(target, problem, "choose a place beside it")
    real = {path.resolve() for path in checkpoint.inputs}
    folders = {checkpoint.root.resolve().parent, *(path.parent for path in real)}
    if here and any(here in set(_identities(folder)) for folder in folders):
        raise refused(target, "the output holds an input", "choose another place")


def _identities(path: Path) -> Iterator[tuple[int, int]]:
    for place in (path, *path.parents):
        if info := _stat(place):
            yield info.st_dev, info.st_ino


def _check_replaceable(checkpoint: Checkpoint, target: Path, info: os.stat_result) -> None:
    if checkpoint.kind in {"file", "dduf"}:
        if not stat.S_ISREG(info.st_mode):
            raise refused(target, "the output is no regular file", "give a file name")
        return
    if not stat.S_ISDIR(info.st_mode):
        raise refused(target, "the output is no folder, but the model is one", "give a folder")
    # --force replaces a whole folder: a home directory given by mistake must survive it.
    names = {entry.name for entry in target.iterdir()}
    is_model = names.intersection(_MODEL_FILES) or any(
        name.endswith(".safetensors.index.json") for name in names
    )
    if names and not is_model:
        raise refused(target, "the folder there holds no model", "remove it yourself if it may go")
