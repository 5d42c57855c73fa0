"""The files of a LoRA: what lies in each, where they may go, and putting them there."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from surgery.edits.delta import Array
from surgery.errors import UsageError
from surgery.lora.formats import CONFIG, WEIGHTS, LoraFormat, Named, config
from surgery.numerics.tensors import decode, encode
from surgery.store.checkpoint import Checkpoint
from surgery.store.fresh import NewTensor, fill, pieces, write_new
from surgery.store.preflight import check_space, check_writable, real_place, refused
from surgery.store.publish import exists, keep_rights, publish
from surgery.store.sink import reported
from surgery.store.staging import part_of, remove_litter, staged_folder, sync_folders
from surgery.store.text import visible

ENDING = ".safetensors"


def stored(named: Sequence[Named], dtype: str) -> dict[str, tuple[NewTensor, ...]]:
    """File -> its tensors, rounded; scales first, in float32, so that all are aligned."""
    files: dict[str, tuple[NewTensor, ...]] = {}
    for file in dict.fromkeys(one.file for one in named):
        pairs = [pair for one in named if one.file == file for pair in one.tensors()]
        tensors = [_stored(name, values, dtype) for name, values in pairs]
        files[file] = tuple(sorted(tensors, key=lambda tensor: len(tensor.shape)))
    return files


def as_loaded(files: Mapping[str, Sequence[NewTensor]]) -> dict[str, Array]:
    """File and tensor name -> what a loader reads of it."""
    return {
        file + one.name: decode(bytes(one.data), one.dtype, one.shape)
        for file, tensors in files.items()
        for one in tensors
    }


def contents(
    named: Sequence[Named],
    files: Mapping[str, Sequence[NewTensor]],
    metadata: Mapping[str, str],
    model: str,
) -> dict[str, bytes]:
    """Relative name -> bytes of every file; the one of a single-file format is called ""."""
    found: dict[str, bytes] = {}
    for file, tensors in files.items():
        found[file] = b"".join(pieces(tensors, metadata))
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
        target = real_place(out)
        root = checkpoint.root.resolve()
        if checkpoint.kind != "file" and root in (target, *target.parents):
            raise refused(out, "it is the model's folder or lies inside it", "write beside it")
        if target.exists():
            _check_replaceable(target, checkpoint, format, force)
        check_writable(target)
    return target


def save(files: Mapping[str, bytes], target: Path, *, force: bool) -> int:
    """Write the files at `target`, the one called "" as `target` itself; return their bytes.

    Raises:
        OutputError: the target exists (without `force`) or cannot be written.
        ResourceError: too little room on the disk.
    """
    if "" in files:
        return write_new([files[""]], target, force=force)
    total = sum(map(len, files.values()))
    check_space(target, total)
    with reported(target):
        remove_litter(target)
    with staged_folder(target) as (folder, staged):
        for name, data in files.items():
            with part_of(staged, name, target, len(data)) as descriptor:
                fill(descriptor, [data], target)
        sync_folders(staged, files, target)
        if force:
            keep_rights(folder, target)
        publish(staged, target, force=force)
    return total


def _stored(name: str, values: Array, dtype: str) -> NewTensor:
    kind = dtype if values.ndim else "F32"
    return NewTensor(name, kind, values.shape, encode(np.ascontiguousarray(values), kind))


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
        raise refused(target, "the output is the model", "choose another name")
    if not force:
        raise exists(target)
    if format != "peft":
        if not stat.S_ISREG(info.st_mode):
            raise refused(target, "what is there is no regular file", "choose another name")
    elif (
        not target.is_dir()
        or not any(target.rglob(CONFIG))
        or (target / "model_index.json").exists()
    ):
        raise refused(target, "what is there is no PEFT adapter", "choose another name")
