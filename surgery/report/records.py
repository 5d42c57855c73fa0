"""The record of an edit that lies beside its output: what was done, to what, and what came of it.

It holds nothing that changes from run to run: no clock, no paths of this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from surgery.errors import UsageError
from surgery.report.base import Report
from surgery.report.edits import Drift, Gate, Leak


@dataclass(frozen=True, slots=True)
class RecordedBase:
    """The model that was edited.

    Args:
        address: `atelier`, a place on the Hub with its commit, or the bare name of a local model.
        fingerprint: digest of its headers.
    """

    address: str
    fingerprint: str
    container: str
    layout: str | None


@dataclass(frozen=True, slots=True)
class RecordedTensor:
    """One changed tensor.

    Args:
        before: hex SHA-256 of its bytes in the base; `after` of those in the output.
        rank, relative_norm, changed, lost: as in `EditedTensor`.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    before: str
    after: str
    rank: int | None
    relative_norm: float
    changed: float
    lost: float


@dataclass(frozen=True, slots=True)
class Record(Report):
    """All that is needed to make the same edit again and to see whether it is the same.

    Args:
        recipe: as its own JSON.
        leaks: what is left of each concept, as stored; of hundreds, in their own prompts only.
        gates: those that were decided before anything was written.
        versions: of surgery, Python and the libraries that computed.
        device: what it was computed on.
        earlier: the records of edits that the base had seen before, the first one first.
    """

    kind: ClassVar[str] = "record"

    recipe: Mapping[str, object]
    base: RecordedBase
    tensors: tuple[RecordedTensor, ...]
    leaks: tuple[Leak, ...]
    drifts: tuple[Drift, ...]
    gates: tuple[Gate, ...]
    versions: Mapping[str, str]
    device: str
    earlier: tuple[Mapping[str, object], ...] = ()

    @property
    def name(self) -> str:
        """What the recipe is called."""
        return str(self.recipe.get("name", ""))

    @classmethod
    def parsed(cls, text: str | None) -> Record | None:
        """A record from before; None where there was none, or one that this release cannot read."""
        if text is None:
            return None
        try:
            return cls.from_json(text)
        except (UsageError, RecursionError):
            return None

    def text(self) -> str:
        """The file: indented JSON and a line break."""
        return self.to_json() + "\n"

    def after(self, past: Record | None) -> Record:
        """The same record of a model that already had one."""
        if past is None:
            return self
        own = replace(past, earlier=()).to_dict()
        return replace(self, earlier=(*past.earlier, own))
