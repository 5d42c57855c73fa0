"""ConceptPrune: zero the weights that carry most with the concept, and less without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from surgery.edits.base import Context, Matrix
from surgery.edits.delta import Delta
from surgery.edits.scored import ScoredEdit, zeroed
from surgery.edits.scores import Wanted
from surgery.edits.templates import prompt_pairs
from surgery.numerics.pruned import most_important

if TYPE_CHECKING:
    from surgery.layout import Layout, Site


class ConceptPrune(ScoredEdit):
    """Zero the weights that count most for a concept in the first steps of the sampling.

    In each step a weight's importance is |w_ij| |x_j|, x_j being what flows into it. Zeroed are, in
    every row, the first `ratio` of those whose input is larger with the concept than without; and
    of all these sets, one for each of the first steps, the union.

    Source: Chavhan et al. 2025, arXiv 2405.19237.
    """

    everywhere: ClassVar[str] = "ff.out"
    scored_by: ClassVar[str] = "conceptprune"
    method: Literal["conceptprune"] = "conceptprune"

    ratio: Annotated[
        float,
        Field(gt=0, le=1, strict=True, description="How much of each row, in each of the steps."),
    ] = 0.01
    first: Annotated[
        int, Field(ge=1, strict=True, description="The steps from the first on that are looked at.")
    ] = 10

    def wanted(self, layout: Layout) -> Wanted:
        """Both sides of the concepts' prompts, for the first steps."""
        return Wanted(
            method=self.scored_by,
            sites=tuple(map(str, self.sites(layout))),
            pairs=tuple(pair for one in self.concepts for pair in prompt_pairs(one, contexts=True)),
            seeds=tuple(range(self.pictures)),
            steps=self.steps,
            guidance=self.guidance,
            settings=(("first", self.first),),
        )

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """The mask of each weight that has one."""
        found = self.found(context)
        made: dict[Site, Delta] = {}
        for site, weight in weights.items():
            found.check(str(site), weight)
            picked = most_important(found.of(str(site)), self.ratio)
            if len(picked):
                made[site] = zeroed(weight, picked, self.strength)
        return made
