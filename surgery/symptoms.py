"""What can be wrong with a checkpoint besides its numbers: seen in headers, names and side files.

Each function looks for one thing and yields what it found. Nothing is changed; no tensor is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

from surgery.anatomy import component_of
from surgery.errors import CheckpointError
from surgery.store.checkpoint import Checkpoint
from surgery.store.entries import DTYPE_BITS
from surgery.store.files import read_span, stamp
from surgery.store.text import visible

Severity = Literal["broken", "note"]

_PICKLE_NAMES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle"})
_SHARD = re.compile(r"-\d{5,}-of-\d{5,}\.safetensors$")
# A pickle of protocol 0 or 1 that calls something opens with its module and name.
_OLD_PICKLE = re.compile(rb"\(?c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")
_HEAD = 512
_EMA = "model_ema."
_EMA_COUNTERS = frozenset({"decay", "num_updates"})
_DENOISER = "model.diffusion_model."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Args:
        check: which check found it.
        severity: `broken` makes the exit code 3, `note` does not.
        where: the file, tensor or component.
        what: what was found.
        remedy: what to do about it.
    """

    check: str
    severity: Severity
    where: str
    what: str
    remedy: str


def symptoms(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Everything that can be told without reading a tensor."""
    yield from _unaligned(checkpoint)
    yield from _pickles(checkpoint)
    yield from _loose_shards(checkpoint)
    yield from _index_totals(checkpoint)
    yield from _ema_copies(checkpoint)
    yield from _mixed_types(checkpoint)


def _unaligned(checkpoint: Checkpoint) -> Iterator[Finding]:
    crooked: dict[Path, list[str]] = {}
    for name, ref in checkpoint.items():
        word = max(DTYPE_BITS[ref.dtype] // 8, 1)
        if ref.nbytes and ref.start % word:
            crooked.setdefault(ref.file, []).append(name)
    for file, names in crooked.items():
        what = f"tensors that begin off a multiple of their word size: {len(names)}"
        remedy = "readers that map the file must copy them; save it again with safetensors"
        yield Finding("alignment", "note", f"{file}:{names[0]}", what, remedy)


def _pickles(checkpoint: Checkpoint) -> Iterator[Finding]:
    for path in checkpoint.side_files:
        disguised = path.suffix.lower() not in _PICKLE_NAMES
        if _is_pickle(path) and disguised:
            what = "a pickle under another name; it can run code when it is loaded"
            yield Finding("pickle", "broken", str(path), what, "delete it; nothing here needs it")
        elif not disguised:
            what = "a pickle file beside the weights; it can run code when it is loaded"
            yield Finding("pickle", "note", str(path), what, "delete it; nothing here needs it")


def _is_pickle(path: Path) -> bool:
    head = read_span(path, 0, min(_HEAD, stamp(path).size))
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    return (head.startswith(b"PK\x03\x04") and b"data.pkl" in head) or bool(_OLD_PICKLE.match(head))


def _loose_shards(checkpoint: Checkpoint) -> Iterator[Finding]:
    for path in checkpoint.side_files:
        if _SHARD.search(path.name):
            what = "a shard that no index names; its tensors are not part of the model"
            yield Finding("shards", "note", str(path), what, "delete it, or mend the index")


def _index_totals(checkpoint: Checkpoint) -> Iterator[Finding]:
    sizes = Counter[str]()
    for ref in checkpoint.values():
        sizes[ref.file.parent.name if ref.file.parent != checkpoint.root else ""] += ref.nbytes
    for relative in checkpoint.stamps:
        if not relative.endswith(".safetensors.index.json"):
            continue
        stated = _total(checkpoint, relative)
        held = sizes[relative.rpartition("/")[0]]
        if stated is not None and held and stated != held:
            what = f"metadata.total_size says {stated} bytes, the shards hold {held}"
            yield Finding("shards", "note", relative, what, "correct the number in the index")


def _total(checkpoint: Checkpoint, relative: str) -> int | None:
    try:
        metadata = (checkpoint.json(relative) or {}).get("metadata")
    except CheckpointError:
        return None
    total = metadata.get("total_size") if isinstance(metadata, Mapping) else None
    return total if type(total) is int else None


def _ema_copies(checkpoint: Checkpoint) -> Iterator[Finding]:
    copies = {
        name.removeprefix(_EMA)
        for name in checkpoint
        if name.startswith(_EMA) and name.removeprefix(_EMA) not in _EMA_COUNTERS
    }
    if not copies:
        return
    originals = [name for name in checkpoint if name.startswith(_DENOISER)]
    # LitEma names a copy by its original's name without "model." and without any dot.
    wanted = {name.removeprefix("model.").replace(".", ""): name for name in originals}
    lost = [name for flat, name in wanted.items() if flat not in copies]
    extra = sorted(copies - wanted.keys())
    if not lost and not extra:
        return
    what = f"{len(copies)} EMA copies of {len(originals)} tensors"
    example = lost[0] if lost else _EMA + extra[0]
    remedy = "remove the model_ema tensors, or restore the file: a reader that prefers them mixes"
    yield Finding("ema", "broken", example, what, remedy)


def _mixed_types(checkpoint: Checkpoint) -> Iterator[Finding]:
    kinds: dict[str, Counter[str]] = {}
    for name, ref in checkpoint.items():
        if "F" in ref.dtype:
            kinds.setdefault(component_of(name), Counter())[ref.dtype] += prod(ref.shape)
    for component, counts in kinds.items():
        if len(counts) > 1:
            parts = [f"{dtype} {count:,}" for dtype, count in counts.most_common()]
            what = f"parameters of several types: {', '.join(parts)}"
            remedy = "fine where it is meant, as for scales; else save it in one type"
            yield Finding("types", "note", visible(component) or "the file", what, remedy)
