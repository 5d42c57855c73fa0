"""Patch: the solved changes of a checkpoint's tensors and where they come from. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from surgery.edits.delta import Array, Delta, Mapped
from surgery.errors import EditError
from surgery.store.text import visible


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What one edit adds to one tensor, or to some rows of a tensor that several sites share.

    Args:
        rows: first and last+1 row that `delta` is for; None means all.
        edit: the edit's place among all that were solved, from 0.
    """

    delta: Delta
    rows: tuple[int, int] | None = None
    edit: int = 0

    def added_to(self, weight: Array) -> Array:
        """The whole tensor with the change added: a shared map in the weight's own precision, every
        other form in float64."""
        whole = weight if isinstance(self.delta, Mapped) else weight.astype(np.float64)
        if self.rows is None:
            return self.delta.added_to(whole)
        first, last = self.rows
        whole = whole.copy()
        whole[first:last] = self.delta.added_to(whole[first:last])
        return whole


@dataclass(frozen=True, slots=True)
class EditRecord:
    """How one edit of a patch was made.

    Args:
        leak: the largest over the edit's own prompts, as stored; None where it is not measured.
        drift: the 95th percentile over neutral prompts, as stored.
    """

    method: str
    tensors: tuple[str, ...]
    rank: int
    leak: float | None = None
    drift: float | None = None


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

    def value(self, name: str, weight: Array) -> Array:
        """The new value of a tensor: every change added, nothing rounded to the stored type.

        Raises:
            EditError: a change does not fit the tensor.
        """
        *_, last = self.steps(name, weight)
        return last[1]

    def steps(self, name: str, weight: Array) -> Iterator[tuple[int, Array]]:
        """The tensor after each change, with the number of the edit that made it.

        Raises:
            EditError: a change does not fit the tensor.
        """
        value = weight
        for change in self.changes[name]:
            try:
                value = change.added_to(value)
            except EditError as error:
                raise EditError(error.what, where=visible(name), hint=error.hint) from error
            yield change.edit, value

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
                    **_figures(edit),
                }
            )
        return {
            "surgery.version": self.version,
            "surgery.recipe": self.recipe,
            "surgery.base": self.base,
            "surgery.edits": json.dumps(history, ensure_ascii=False, separators=(",", ":")),
        }


def _figures(edit: EditRecord) -> dict[str, float]:
    found = {"leak": edit.leak, "drift": edit.drift}
    return {name: float(f"{value:.6g}") for name, value in found.items() if value is not None}


def _history(text: str | None) -> list[object]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []
