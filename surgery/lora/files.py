"""The files of a LoRA, each a header and its bytes, put in place whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surgery.edits.delta import Array
from surgery.errors import OutputError, UsageError
from surgery.lora.formats import CONFIG, WEIGHTS, LoraFormat, Named, config
from surgery.numerics.tensors import decode, encode
from surgery.store.checkpoint import Checkpoint
from surgery.store.files import close
from surgery.store.header import TensorEntry, build_header
from surgery.store.preflight import check_space
from surgery.store.publish import exists, keep_rights, publish
from surgery.store.sink import Sink, reported, sync_folder
from surgery.store.staging import remove_litter, staged_file, staged_folder
from surgery.store.text import visible

ENDING = ".safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """One tensor as it will lie in a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes

    def numbers(self) -> Array:
        """What a loader reads of it."""
        return decode(self.data, self.dtype, self.shape)


def stored(named: Sequence[Named], dtype: str) -> dict[str, tuple[StoredTensor, ...]]:
    """File -> its tensors, rounded; scales first, in float32, so that all are aligned."""
    files: dict[str, tuple[StoredTensor, ...]] = {}
    for file in dict.fromkeys(one.file for one in named):
        pairs = [pair for one in named if one.file == file for pair in one.tensors()]
        tensors = [_stored(name, values, dtype) for name, values in pairs]
        files[file] = tuple(sorted(tensors, key=lambda tensor: len(tensor.shape)))
    return files


def contents(
    named: Sequence[Named],
    files: Mapping[str, Sequence[StoredTensor]],
    metadata: Mapping[str, str],
    model: str,
) -> dict[str, bytes]:
    """Relative name -> bytes of every file; the one of a single-file format is called ""."""
    found: dict[str, bytes] = {}
    for file, tensors in files.items():
        found[file] = _safetensors(tensors, metadata)
        if file:
            own = config([one for one in named if one.file == file], model)
            found[file.replace(WEIGHTS, CONFIG)] = json.dumps(own, indent=2).encode()
    return found


def check_target(out: Path, checkpoint: Checkpoint, format: LoraFormat, *, force: bool) -> Path:
    """Return the real place of `out` when a LoRA may be written there.

    Raises:
        UsageError: its name does not fit the format.
        OutputError: it exists, is or lies in the model, or its folder is missing.
    """
    _check_name(out, format)
    with reported(out):
        target = out.resolve()
        if not target.parent.is_dir():
            raise _refused(out, "its folder does not exist", "make it first")
        root = checkpoint.root.resolve()
        if checkpoint.kind != "file" and root in (target, *target.parents):
            raise _refused(out, "it is the model's folder or lies inside it", "write beside it")
        if target.exists():
            _check_replaceable(target, checkpoint, format, force)
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise _refused(out, "its folder is not writable", "write elsewhere")
    return target


def save(files: Mapping[str, bytes], target: Path, *, force: bool) -> int:
    """Write the files at `target`, the one called "" as `target` itself; return their bytes.

    Raises:
        OutputError: the target exists (without `force`) or cannot be written.
        ResourceError: too little room on the disk.
    """
    total = sum(map(len, files.values()))
    check_space(target, total)
    with reported(target):
        remove_litter(target)
    if "" in files:
        with staged_file(target) as (descriptor, staged):
            _fill(descriptor, files[""], target)
            if force:
                keep_rights(descriptor, target)
            publish(staged, target, force=force)
        return total
    with staged_folder(target) as (folder, staged):
        for name, data in files.items():
            _write_part(staged / name, data, target)
        for path in (*{(staged / name).parent for name in files}, staged):
            sync_folder(path, target)
        if force:
            keep_rights(folder, target)
        publish(staged, target, force=force)
    return total


def _stored(name: str, values: Array, dtype: str) -> StoredTensor:
    kind = dtype if values.ndim else "F32"
    return StoredTensor(name, kind, values.shape, encode(np.ascontiguousarray(values), kind))


def _safetensors(tensors: Sequence[StoredTensor], metadata: Mapping[str, str]) -> bytes:
    header = build_header(_entries(tensors), metadata)
    return b"".join([header, *(tensor.data for tensor in tensors)])


def _entries(tensors: Sequence[StoredTensor]) -> Iterator[TensorEntry]:
    at = 0
    for tensor in tensors:
        yield TensorEntry(tensor.name, tensor.dtype, tensor.shape, at, at + len(tensor.data))
        at += len(tensor.data)


def _check_name(out: Path, format: LoraFormat) -> None:
    if format == "peft" and out.suffix == ENDING:
        raise UsageError(
            "a PEFT adapter is a folder, and this is the name of a file",
            where=visible(str(out)),
            hint=f"leave {ENDING} out",
        )
    if format != "peft" and out.suffix != ENDING:
        raise UsageError(
            "a LoRA is a safetensors file", where=visible(str(out)), hint=f"end it with {ENDING}"
        )


def _check_replaceable(
    target: Path, checkpoint: Checkpoint, format: LoraFormat, force: bool
) -> None:
    info = target.stat()
    if any(
        (info.st_dev, info.st_ino) == (one.device, one.inode) for one in checkpoint.stamps.values()
    ):
        raise _refused(target, "the output is the model", "choose another name")
    if not force:
        raise exists(target)
    if format != "peft":
        if not stat.S_ISREG(info.st_mode):
            raise _refused(target, "what is there is no regular file", "choose another name")
    elif (
        not target.is_dir()
        or not any(target.rglob(CONFIG))
        or (target / "model_index.json").exists()
    ):
        raise _refused(target, "what is there is no PEFT adapter", "choose another name")


def _write_part(path: Path, data: bytes, target: Path) -> None:
    with reported(target, len(data)):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        _fill(descriptor, data, target)
    finally:
        close(descriptor)


def _fill(descriptor: int, data: bytes, target: Path) -> None:
    sink = Sink(descriptor, target, None)
    sink.reserve(len(data))
    sink.write(data)
    sink.finish()


def _refused(target: Path, what: str, hint: str) -> OutputError:
    return OutputError(what, where=visible(str(target)), hint=hint)
