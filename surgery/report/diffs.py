"""How two checkpoints differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from surgery.report.base import Report

ChangeKind = Literal["added", "removed", "dtype", "shape", "values"]


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
