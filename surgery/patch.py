"""Patch: the solved changes of a checkpoint's tensors and where they come from. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surgery.edits.delta import Array, Delta
from surgery.errors import EditError
from surgery.store.text import visible


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What one edit adds to one tensor, or to some rows of a tensor that several sites share.

    Args:
        rows: first and last+1 row that `delta` is for; None means all.
    """

    delta: Delta
    rows: tuple[int, int] | None = None

    def added_to(self, weight: Array) -> NDArray[np.float64]:
        """The whole tensor with the change added in float64."""
        whole = weight.astype(np.float64)
        first, last = self.rows or (0, len(whole))
        whole[first:last] = self.delta.added_to(whole[first:last])
        return whole


@dataclass(frozen=True, slots=True)
class EditRecord:
    """How one edit of a patch was made.

    Args:
        residual: the largest leak over the edit's keys, before rounding.
    """

    method: str
    tensors: tuple[str, ...]
    rank: int
    residual: float


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Changes by tensor name, in the order in which they are added, and their provenance.

    Args:
        recipe: the recipe in one line of JSON.
        base: fingerprint of the checkpoint it was solved for.
        version: of surgery.
    """

    changes: Mapping[str, tuple[Change, ...]]
    recipe: str
    base: str
    version: str
    edits: tuple[EditRecord, ...]

    def value(self, name: str, weight: Array) -> NDArray[np.float64]:
        """The new value of a tensor in float64: every change added, nothing rounded.

        Raises:
            EditError: a change does not fit the tensor.
        """
        value = weight.astype(np.float64)
        for change in self.changes[name]:
            try:
                value = change.added_to(value)
            except EditError as error:
                raise EditError(error.what, where=visible(name), hint=error.hint) from error
        return value

    def metadata(self, earlier: Mapping[str, str]) -> dict[str, str]:
        """The `surgery.*` keys of a file that the patch changed.

        Args:
            earlier: the file's own metadata; edits it tells of stay in the list.
        """
        history = _history(earlier.get("surgery.edits"))
        for edit in self.edits:
            history.append(
                {
                    "method": edit.method,
                    "base": self.base,
                    "tensors": list(edit.tensors),
                    "rank": edit.rank,
                    "residual": float(f"{edit.residual:.6g}"),
                }
            )
        return {
            "surgery.version": self.version,
            "surgery.recipe": self.recipe,
            "surgery.base": self.base,
            "surgery.edits": json.dumps(history, ensure_ascii=False, separators=(",", ":")),
        }


def own_version() -> str:
    """The version of the installed package; of a bare source tree it is not known."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("surgery")
    except PackageNotFoundError:
        return "unknown"


def _history(text: str | None) -> list[object]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []
