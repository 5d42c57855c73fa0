"""What edits that mask components share: they are solved on scores, from a file or made for them.

A mask sets weights to zero and adds nothing; which ones, the edit says.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, PlainSerializer

from surgery.edits.base import Asks, Concept, Context, Edit, Matrix, States
from surgery.edits.cross_attention import Where
from surgery.edits.delta import Sparse
from surgery.edits.scores import Scores, Wanted

if TYPE_CHECKING:
    from surgery.layout import Layout, Site

ScoreFile = Annotated[
    str | None,
    # Where the file lies on one machine says nothing on another.
    PlainSerializer(lambda path: path and PurePath(path).name),
    Field(
        min_length=1,
        description="A score file that `surgery probe --scores` wrote, beside the recipe; left "
        "out, the components are scored when the edit is made.",
    ),
]


class TakesScores(Edit):
    """An edit that can be solved on the scores of a file."""

    scored_by: ClassVar[str]
    """Whose scores it takes, a name in `surgery.scores.SCORERS`."""
    by_scores: ClassVar[Mapping[str, str]] = {}
    """The settings with which it takes them."""

    concepts: Annotated[
        tuple[Concept, ...], Field(min_length=1, description="What the scores are about.")
    ]
    where: Where = None
    scores: ScoreFile = None

    @abstractmethod
    def wanted(self, layout: Layout) -> Wanted:
        """What is to be scored where no file says it."""


class ScoredEdit(TakesScores):
    """An edit that zeroes the components which scores single out."""

    states: ClassVar[States] = "scores"
    everywhere: ClassVar[str]
    """The weights that are looked at where `where` names none."""

    pictures: Annotated[
        int, Field(ge=1, strict=True, description="How many seeds each prompt is scored with.")
    ] = 4
    steps: Annotated[int, Field(ge=1, strict=True, description="Steps of the sampler.")] = 20
    guidance: Annotated[float, Field(strict=True, description="Guidance of the sampling.")] = 3.0

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The weights that `where` names."""
        return layout.select(self.where or self.everywhere)

    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """The same: scores say all else."""
        return self.sites(layout)

    def asks(self, layout: Layout) -> Asks:
        """Nothing: no text state enters the solve."""
        return Asks(edited=())

    def found(self, context: Context) -> Scores:
        """The scores, of this edit's method.

        Raises:
            EditError: there are none, or another method's.
        """
        assert context.scores is not None
        context.scores.must_be_by(self.scored_by, self.method)
        return context.scores


def zeroed(weight: Matrix, picked: np.ndarray, strength: float) -> Sparse:
    """The change that takes `strength` of the picked weights away.

    Args:
        weight: (out, in).
        picked: (k,), places in the weight laid out row by row, each once.
    """
    index = np.sort(picked).astype(np.int64)
    return Sparse(index, -strength * weight.ravel()[index], (weight.shape[0], weight.shape[1]))
