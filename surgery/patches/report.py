"""What was done with a patch, as frozen values. Nothing here computes or prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from surgery.patches.stored import PatchFile, StoredTensor
from surgery.report import Report


@dataclass(frozen=True, slots=True)
class PatchedTensor:
    """How a patch keeps the change of one tensor.

    Args:
        rank: width of the factors; None where the change is kept by value.
        correction_bytes: packed differences, all there is without factors.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    rank: int | None
    correction_bytes: int

    @classmethod
    def of(cls, tensor: StoredTensor) -> PatchedTensor:
        """The figures of a stored tensor."""
        return cls(tensor.name, tensor.dtype, tensor.shape, tensor.rank, tensor.correction_bytes)


@dataclass(frozen=True, slots=True)
class PatchReport(Report):
    """What a patch holds, and what was done with it.

    Args:
        model: the address that it was used on or made from.
        base: fingerprint of the model that it is for.
        exact: whether every file comes out as it was recorded, headers included; tensors always do.
        out: what was written; None for a dry run.
    """

    kind: ClassVar[str] = "patch"

    action: Literal["make", "apply", "undo", "show"]
    model: str
    base: str
    recipe: str
    tensors: tuple[PatchedTensor, ...]
    factor_bytes: int
    exact: bool
    out: str | None = None
    bytes_written: int = 0
    linked: int = 0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, patch: PatchFile, action: Literal["make", "apply", "undo", "show"], model: str
    ) -> PatchReport:
        """The figures of a patch, before anything is done with it."""
        return cls(
            action=action,
            model=model,
            base=patch.base,
            recipe=patch.recipe,
            tensors=tuple(map(PatchedTensor.of, patch.changed)),
            factor_bytes=patch.factor_bytes,
            exact=bool(patch.headers),
        )
