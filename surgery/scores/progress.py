"""How far a scoring has come, in a file: what was stopped goes on there, to the same bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from surgery.edits.scores import Fact
from surgery.errors import OutputError, SurgeryError
from surgery.store.checkpoint import open_checkpoint
from surgery.store.fresh import NewTensor, pieces, write_new
from surgery.store.sink import reported
from surgery.store.text import visible

FACTS, STEPS = "surgery.progress", "surgery.progress.steps"
_KINDS = {"F64": torch.float64, "I64": torch.int64, "F32": torch.float32}
"""Widest first: numbers in the file are aligned then."""


class Progress:
    """A file that is replaced as a whole after every step.

    Args:
        path: None writes none.
        facts: everything that what is kept depends on.
    """

    def __init__(self, path: Path | None, facts: Mapping[str, Fact]) -> None:
        self.path = path
        self.facts = json.dumps(dict(facts), sort_keys=True)

    def read(self) -> tuple[int, dict[str, Tensor]]:
        """The steps that were done, and what was kept then; (0, {}) where there is no file.

        Raises:
            OutputError: the file is of another scoring, or of none.
            CheckpointError: it is damaged.
        """
        if self.path is None or not self.path.exists():
            return 0, {}
        opened = open_checkpoint(self.path)
        told = next(iter(opened.metadata.values()), {})
        if told.get(FACTS) != self.facts:
            raise OutputError(
                "this is the progress of another scoring, or of none",
                where=visible(str(self.path)),
                hint="name another file, or remove it",
            )
        kept = {}
        for name, ref in opened.items():
            raw = torch.frombuffer(bytearray(ref.read()), dtype=_KINDS[ref.dtype])
            kept[name] = raw.reshape(ref.shape)
        return int(told[STEPS]), kept

    def write(self, steps: int, kept: Mapping[str, Tensor]) -> None:
        """Put down what was done so far.

        Raises:
            OutputError: the file cannot be written.
            ResourceError: the disk is full.
        """
        if self.path is None:
            return
        tensors = [
            NewTensor(name, kind, tuple(one.shape), _bytes(one))
            for kind, dtype in _KINDS.items()
            for name, one in kept.items()
            if one.dtype == dtype
        ]
        told = {FACTS: self.facts, STEPS: str(steps)}
        with reported(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        write_new(pieces(tensors, told), self.path, force=True)


def is_progress(path: Path) -> bool:
    """Whether a file is one that `Progress` wrote."""
    try:
        return any(FACTS in told for told in open_checkpoint(path).metadata.values())
    except SurgeryError:
        return False


def _bytes(value: Tensor) -> memoryview:
    return value.cpu().contiguous().numpy().reshape(-1).view(np.uint8).data
