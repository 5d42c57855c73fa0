"""A judge from Python: any function that scores pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from surgery.errors import UsageError
from surgery.judges.base import Mark, Seen, Sees, marked, pictures_of
from surgery.report.probes import Best

if TYPE_CHECKING:
    from surgery.questions import Question, Sort

Scorer: TypeAlias = "Callable[[NDArray[np.uint8], Question], Sequence[float]]"
"""Pictures (n, H, W, 3) and the question → n scores, each of its own picture alone."""


@dataclass(frozen=True, slots=True)
class GivenJudge:
    """A function as a judge; the more it gives, the more of the concept is there.

    Args:
        function: see `Scorer`.
        name: what reports call it, and what a journal tells its scores by.
    """

    function: Scorer
    name: str

    sees: ClassVar[Sees] = "pictures"
    anchored: ClassVar[bool] = False

    def best(self, sort: Sort) -> Best:
        """The least: there the concept is gone."""
        return "least"

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        """What the function gives.

        Raises:
            UsageError: not one number for each picture.
        """
        pictures = (pictures_of(seen).float().clamp(-1, 1) + 1) * 127.5
        pixels = pictures.round().permute(0, 2, 3, 1).contiguous().cpu().numpy().astype(np.uint8)
        scores = self._scores(pixels, question)
        if scores.shape != (len(pixels),):
            raise UsageError(
                f"the judge {self.name!r} gives scores of shape {list(scores.shape)} "
                f"for {len(pixels)} pictures"
            )
        return marked(self.name, scores.tolist())

    def _scores(self, pixels: NDArray[np.uint8], question: Question) -> NDArray[np.float64]:
        given = self.function(pixels, question)
        try:
            return np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"the judge {self.name!r} gives no list of numbers: {error}"
            ) from error


def given_judge(function: Scorer, name: str | None = None) -> GivenJudge:
    """A judge of a function, named for it and for what its body says.

    Values that it reads from elsewhere are no part of that name: with other ones, give a name.

    Raises:
        UsageError: what is no function has no name of its own.
    """
    return GivenJudge(function, name if name is not None else f"given {_name(function)}")


def _name(function: Scorer) -> str:
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        raise UsageError(
            f"a judge that is a {type(function).__name__} and no function needs a name",
            hint="give surgery.judges.given.given_judge(judge, NAME), another one for other values",
        )
    digest = hashlib.sha256(b"\0".join(_said(code))).hexdigest()
    return f"{function.__module__}.{function.__qualname__} {digest[:12]}"


def _said(code: CodeType) -> Iterator[bytes]:
    """What a function does, without where it stands: another body is another judge."""
    yield code.co_code
    yield repr(code.co_names).encode()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _said(constant)
        else:
            # A frozenset has an order of its own in each process.
            shown = sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant
            yield repr(shown).encode()
