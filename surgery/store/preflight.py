"""Whether an output may and can be written, told before any weight is read. Writes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage

from surgery.errors import OutputError, ResourceError
from surgery.store.contents import Checkpoint
from surgery.store.publish import exists
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


def check_space(target: Path, needed: int) -> None:
    """Raise ResourceError unless `needed` bytes are free where `target` will lie."""
    with reported(target):
        free = disk_usage(target.parent).free
    if needed > free:
        raise ResourceError(
            f"not enough room: {size(needed)} ({needed} bytes) are needed, "
            f"{size(free)} ({free} bytes) are free",
            where=visible(str(target)),
            hint="make room or write elsewhere",
        )


def _checked(checkpoint: Checkpoint, out: Path, *, force: bool) -> Path:
    target = _real(out)
    if checkpoint.kind == "file" and is_pickle_name(out.name):
        problem = "the output is a safetensors file, and this name says that it is a pickle"
        raise _refused(target, problem, "end the name with .safetensors")
    if checkpoint.kind == "dduf" and out.suffix != checkpoint.root.suffix:
        raise _refused(target, "the output is a DDUF file", "end the name with .dduf")
    if not target.parent.is_dir():
        problem = f"the folder {visible(str(target.parent))} does not exist"
        raise _refused(target, problem, "make it first")
    _check_inputs(checkpoint, target)
    info = _stat(target)
    if info is not None:
        if not force:
            raise exists(target)
        _check_replaceable(checkpoint, target, info)
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise _refused(target, "its folder is not writable", "write elsewhere")
    return target


def _real(out: Path) -> Path:
    try:
        return out.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise _refused(
            out, f"no place to write: {visible(str(error))}", "check the path"
        ) from error


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, f"cannot be looked at: {error.strerror}", "check the path") from error


def _check_inputs(checkpoint: Checkpoint, target: Path) -> None:
    here = next(_identities(target), None) if _stat(target) else None
    files = {(stamp.device, stamp.inode) for stamp in checkpoint.inputs.values()}
    if here in files:
        raise _refused(target, "the output is an input", "choose another name")
    if checkpoint.kind not in {"file", "dduf"}:
        info = checkpoint.root.stat()
        if (info.st_dev, info.st_ino) in set(_identities(target)):
            problem = "the output is the input folder or lies inside it"
            raise _refused(target, problem, "choose a place beside it")
    real = {path.resolve() for path in checkpoint.inputs}
    folders = {checkpoint.root.resolve().parent, *(path.parent for path in real)}
    if here and any(here in set(_identities(folder)) for folder in folders):
        raise _refused(target, "the output holds an input", "choose another place")


def _identities(path: Path) -> Iterator[tuple[int, int]]:
    for place in (path, *path.parents):
        if info := _stat(place):
            yield info.st_dev, info.st_ino


def _check_replaceable(checkpoint: Checkpoint, target: Path, info: os.stat_result) -> None:
    if checkpoint.kind in {"file", "dduf"}:
        if not stat.S_ISREG(info.st_mode):
            raise _refused(target, "the output is no regular file", "give a file name")
        return
    if not stat.S_ISDIR(info.st_mode):
        raise _refused(target, "the output is no folder, but the model is one", "give a folder")
    # --force replaces a whole folder: a home directory given by mistake must survive it.
    names = {entry.name for entry in target.iterdir()}
    is_model = names.intersection(_MODEL_FILES) or any(
        name.endswith(".safetensors.index.json") for name in names
    )
    if names and not is_model:
        raise _refused(target, "the folder there holds no model", "remove it yourself if it may go")


def _refused(target: Path, what: str, hint: str) -> OutputError:
    return OutputError(what, where=visible(str(target)), hint=hint)
