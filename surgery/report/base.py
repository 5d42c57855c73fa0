"""The base of every result that prints as JSON on its own, and the summary of many figures."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Self

from surgery.errors import UsageError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Report:
    """A result that prints as JSON under its `kind` and a format version."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}
    kind: ClassVar[str] = "report"

    def to_dict(self) -> dict[str, object]:
        """Plain values only (dict, list, str, numbers, bool, None), `kind` and `version` first."""
        return {"kind": self.kind, "version": VERSION, **asdict(self)}

    def to_json(self) -> str:
        """One JSON object, indented, the same text for equal reports."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            UsageError: not JSON, another kind of report, another version, or other fields.
        """
        from pydantic import TypeAdapter, ValidationError

        fields = _checked(text, cls.kind)
        try:
            return TypeAdapter(cls).validate_json(json.dumps(fields))
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            raise UsageError(f"not a {cls.kind} report: {path}: {first['msg']}") from error


def _checked(text: str, kind: str) -> dict[str, object]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise UsageError(f"not a {kind} report: it is not JSON ({error})") from error
    if not isinstance(fields, dict) or fields.pop("kind", None) != kind:
        raise UsageError(f"not a {kind} report: its 'kind' is another")
    if (version := fields.pop("version", None)) != VERSION:
        raise UsageError(f"a {kind} report of version {version!r}; this release reads {VERSION}")
    return fields


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle, 95th percentile (nearest rank) and largest of `count` figures."""

    min: float
    median: float
    p95: float
    max: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise at least one finite figure."""
        figures = sorted(float(value) for value in values)
        high = figures[math.ceil(0.95 * len(figures)) - 1]
        return cls(figures[0], statistics.median(figures), high, figures[-1], len(figures))
