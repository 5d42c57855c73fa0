"""The results of the verbs: frozen values, to JSON and back. Nothing here computes or prints.

`Report` is the base of every value that is printed as JSON on its own; it adds `kind` and
`version`, so that a saved report says what it is. The other classes are parts of reports.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, Self

from surgery.errors import UsageError

VERSION = 1

ChangeKind = Literal["added", "removed", "dtype", "shape", "values"]


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


@dataclass(frozen=True, slots=True)
class Score:
    """What a probe measured at one site: mean over `count` runs and their standard deviation."""

    site: str
    mean: float
    std: float
    count: int


@dataclass(frozen=True, slots=True)
class Leak:
    """How much of an erased concept is left: ||W'k - Wt|| / ||Wk - Wt|| over keys and sites.

    0 means that it reads exactly as its target, 1 that it reads as before.

    Args:
        wording: how it is asked for: `prompts` are those of the edit itself.
    """

    edit: int
    concept: str
    target: str
    wording: str
    figure: Spread


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one prompt moved: ||(W' - W)p|| / ||Wp|| over its places and the edited sites."""

    prompt: str
    figure: Spread


@dataclass(frozen=True, slots=True)
class Drift:
    """How far prompts moved that should not have: as `Moved`, over all prompts of a group.

    Args:
        group: `preserved` (held by the edit), `neighbours` (of those the nearest to what is
            erased) or `neutral` (never seen by the edit).
        prompts: how many there are.
        most: those that moved most, the first most of all.
    """

    edit: int
    group: str
    prompts: int
    figure: Spread
    most: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class SiteFigure:
    """Leak of the edit's own prompts and drift of neutral ones at one edited site."""

    edit: int
    site: str
    leak: Spread | None
    drift: Spread | None


@dataclass(frozen=True, slots=True)
class EditedTensor:
    """What the edits did to one stored tensor.

    Args:
        rank: rank of the solved change; None where it is not low-rank.
        relative_norm: ||W' - W|| / ||W||, Frobenius, after rounding to the stored type.
        changed: share (0 to 1) of the entries whose stored value changed.
        lost: ||rounded - solved|| / ||solved - W||: the part of the change that rounding took.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    rank: int | None
    relative_norm: float
    changed: float
    lost: float


@dataclass(frozen=True, slots=True)
class Gate:
    """One expectation of the recipe and what was found."""

    name: str
    limit: str
    found: str
    passed: bool


@dataclass(frozen=True, slots=True)
class SiteChange:
    """How one site differs: a whole tensor, or those rows of it that the layout names."""

    site: str
    relative_norm: float | None
    max_abs: float | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class TensorChange:
    """How one tensor differs between two checkpoints.

    Figures are None where they have no meaning (another shape, a type without arithmetic,
    not-finite values); `rank` also where the change is wider than a small edit. `norm` is that of
    the old values, `sites` what the layout calls the tensor or the changed rows of it.
    """

    name: str
    change: ChangeKind
    before: str
    after: str
    nbytes: int
    entries: int
    changed_entries: int | None = None
    max_abs: float | None = None
    relative_norm: float | None = None
    rank: int | None = None
    norm: float | None = None
    sites: tuple[SiteChange, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockChange:
    """What changed in one block of a network.

    Args:
        tensors: how many of its tensors differ, of `of` that both have.
        relative_norm: ||B - A|| / ||A||, Frobenius, over the tensors of the block that differ.
        max_abs: the largest change of a number.
    """

    block: str
    tensors: int
    of: int
    relative_norm: float | None
    max_abs: float | None


@dataclass(frozen=True, slots=True)
class DiffReport(Report):
    """What differs between two checkpoints, tensor by tensor, and one sentence that sums it up.

    Args:
        blocks: the changes summed up by block, for those that have figures.
        reordered: whether the tensors that both have stand in another order.
    """

    kind: ClassVar[str] = "diff"

    before: str
    after: str
    verdict: str
    tensors: int
    identical: int
    changes: tuple[TensorChange, ...]
    side_files: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    blocks: tuple[BlockChange, ...] = ()
    reordered: bool = False

    @property
    def same(self) -> bool:
        """Whether every tensor has the same bytes in both."""
        return not self.changes


@dataclass(frozen=True, slots=True)
class Share:
    """How many of `count` pictures, with the 95 % interval of Wilson (1927)."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, value: float, count: int) -> Share:
        """The interval of a share `value` (0 to 1) seen in `count` pictures."""
        z = 1.96
        middle = (value + z * z / (2 * count)) / (1 + z * z / count)
        reach = math.sqrt(value * (1 - value) / count + z * z / (4 * count * count))
        half = z * reach / (1 + z * z / count)
        return cls(value, max(0.0, middle - half), min(1.0, middle + half), count)


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """What a judge read from one prompt set, before and after.

    `concept` is the share of pictures that show the set's own concept, `thing` of those that show
    the thing that was asked for; `became` is what most pictures after the edit show instead of, or
    as, the concept.
    """

    concept: str
    sort: str
    erased: bool
    concept_before: Share
    concept_after: Share
    became: str
    thing_before: Share
    thing_after: Share


@dataclass(frozen=True, slots=True)
class VerifyReport(Report):
    """What is gone, what stayed, and whether that is as it should be."""

    kind: ClassVar[str] = "verify"

    before: str
    after: str
    sets: tuple[JudgedSet, ...]
    gates: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)
