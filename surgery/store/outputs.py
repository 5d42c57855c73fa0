"""Which files an edited copy of a model holds: all of them but the stale ones.

A folder may hold the weights of one component many times over: as pickles, in half precision, for
other programs. An edit changes those that are read; the others would bring the old model back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from surgery.store.contents import Checkpoint
from surgery.store.files import Stamp

_WEIGHTS = re.compile(
    r".*\.(?:safetensors|bin|ckpt|pt|pth|msgpack|h5|onnx|onnx_data|pb|gguf)", re.IGNORECASE
)
_INDEX = re.compile(r".*\.(?:safetensors|bin)(?:\.[^.]+)?\.index(?:\.[^.]+)?\.json", re.IGNORECASE)


def outputs(checkpoint: Checkpoint, edited: Iterable[str]) -> dict[str, tuple[Path, Stamp]]:
    """Return relative name -> the file to copy from and its stamp, for each file of the output.

    Args:
        edited: names of the tensors that change. Converted weights without a change are left as
            the pickles they came from.
    """
    touched = {checkpoint[name].file for name in edited}
    left_out = set(stale(checkpoint, edited))
    found: dict[str, tuple[Path, Stamp]] = {}
    for name, stamp in checkpoint.stamps.items():
        source, origin = checkpoint.path(name), checkpoint.origins.get(name)
        if origin and checkpoint.kind != "file" and source not in touched:
            found |= {old: (path, origin.stamps[path]) for old, path in origin.sources.items()}
        elif name not in left_out:
            found[name] = (source, stamp)
    return found


def stale(checkpoint: Checkpoint, edited: Iterable[str]) -> tuple[str, ...]:
    """Return the files that hold the edited weights once more, as they were before.

    They lie beside the edited ones, or as a whole model at the top of a folder.
    """
    if checkpoint.kind != "folder":
        return ()
    files = {checkpoint[name].file for name in edited}
    folders = {
        name.rpartition("/")[0] for name in checkpoint.headers if checkpoint.path(name) in files
    }
    return tuple(
        name
        for name in checkpoint.stamps
        if folders
        and name not in checkpoint.headers
        and name.rpartition("/")[0] in {*folders, ""}
        and (_WEIGHTS.fullmatch(name) or _is_stale_index(checkpoint, name))
    )


def _is_stale_index(checkpoint: Checkpoint, name: str) -> bool:
    if not _INDEX.fullmatch(name):
        return False
    shards = (checkpoint.json(name) or {}).get("weight_map")
    folder, slash, _ = name.rpartition("/")
    named = set(shards.values()) if isinstance(shards, dict) else set()
    return not all(f"{folder}{slash}{shard}" in checkpoint.headers for shard in named)
