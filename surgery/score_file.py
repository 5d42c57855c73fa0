"""Score files: safetensors with what each component counts. One serves edits of every ratio."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from surgery.edits.scores import Fact, Scores, Values
from surgery.errors import CheckpointError
from surgery.numerics.tensors import decode
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.fresh import NewTensor, pieces, write_new
from surgery.store.text import visible

GROUPS = ("values", "held", "norms", "samples")
METHOD, FACTS = "surgery.scores", "surgery.scores.facts"


def write_scores(scores: Scores, path: str | Path, *, force: bool = False) -> int:
    """Write a score file, whole or not at all, and return its bytes.

    Raises:
        OutputError: it is there already, or cannot be written.
        ResourceError: the disk is full.
    """
    tensors = [
        NewTensor(f"{group}/{site}", "F32", value.shape, _bytes(value))
        for group in GROUPS
        for site, value in getattr(scores, group).items()
    ]
    facts = json.dumps(dict(scores.facts), ensure_ascii=False, sort_keys=True)
    return write_new(
        pieces(tensors, {METHOD: scores.method, FACTS: facts}), Path(path), force=force
    )


def read_scores(path: str | Path) -> Scores:
    """Read a score file; values are read when they are asked for.

    Raises:
        CheckpointError: there is no such file, or it is none.
    """
    where = visible(str(path))
    if not Path(path).is_file():
        hint = "surgery probe --scores makes one"
        raise CheckpointError("there is no such score file", where=where, hint=hint)
    opened = open_checkpoint(path)
    told = next(iter(opened.metadata.values()), {})
    names = [name.partition("/") for name in opened]
    if METHOD not in told or not all(slash and group in GROUPS for group, slash, _ in names):
        raise CheckpointError("this is no score file", where=where)
    groups = {group: _Lazy(opened, group) for group in GROUPS}
    return Scores(told[METHOD], **groups, facts=_facts(told.get(FACTS, "{}"), where))


class _Lazy(Mapping[str, Values]):
    """Values by site, each read when it is asked for and not kept."""

    def __init__(self, opened: Checkpoint, group: str) -> None:
        self._opened, self._group = opened, group
        self._sites = [name.partition("/")[2] for name in opened if name.startswith(f"{group}/")]

    def __getitem__(self, site: str) -> Values:
        if site not in self._sites:
            raise KeyError(site)
        ref = self._opened[f"{self._group}/{site}"]
        found = decode(ref.read(), ref.dtype, ref.shape)
        if not np.isfinite(found).all():
            raise CheckpointError(
                "the scores hold NaN or infinite numbers", where=visible(str(ref.file))
            )
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._sites)

    def __len__(self) -> int:
        return len(self._sites)


def _facts(text: str, where: str) -> dict[str, Fact]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    kinds = str | int | float | bool
    if not isinstance(found, dict) or not all(isinstance(v, kinds) for v in found.values()):
        raise CheckpointError("this score file does not say what it is about", where=where)
    return found


def _bytes(value: Values) -> memoryview:
    """The numbers as they lie in memory: no copy of what is single already."""
    return np.ascontiguousarray(value, dtype="<f4").reshape(-1).view(np.uint8).data
