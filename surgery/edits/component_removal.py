"""Component removal: zero the components that speak for a concept, or those against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from surgery.edits.base import Context, Matrix
from surgery.edits.components import Granularity, Part, chosen, parts
from surgery.edits.delta import Delta
from surgery.edits.names import Names, within, words
from surgery.edits.preserve import CAPTIONS, SIBLINGS
from surgery.edits.scored import ScoredEdit, zeroed
from surgery.edits.scores import Scores, Wanted
from surgery.edits.templates import carriers, prompt_pairs
from surgery.errors import EditError
from surgery.numerics.masks import Scope, published, worth

if TYPE_CHECKING:
    from surgery.layout import Layout, Site

PUBLISHED: Mapping[str, object] = {
    "base": "empty",
    "along": "concept",
    "scope": "row",
    "ratio": 0.001,
    "rounding": "down",
    "held": 0,
    "steps": 50,
}
"""As it was published; any of them may be stated otherwise."""


class ComponentRemoval(ScoredEdit):
    """Zero the weights of a feed-forward that win most for each bit of damage.

    What a weight w wins is its attribution, alpha = w dJ/dw: the first-order change of J when it
    goes. The damage is h = w^2 E[(dPhi/dw)^2] over prompts that should stay, the second-order
    change of what is predicted for those. Zeroed are the first `ratio` by
    alpha / (h + floor mean h), of those above zero.

    Source: Nguyen et al. 2025, arXiv 2412.02542 (alpha); the damage as in LeCun et al. 1990.
    """

    everywhere: ClassVar[str] = "ff.{in,out}"
    scored_by: ClassVar[str] = "attribution"
    method: Literal["component_removal"] = "component_removal"

    setting: Annotated[
        Literal["guarded", "published"],
        Field(
            description="`published`: by rows, against the empty prompt, 0.001 rounded down, with "
            "nothing held; each of these can be stated otherwise."
        ),
    ] = "guarded"
    goal: Annotated[
        Literal["erase", "amplify"],
        Field(
            description="Erase a concept, or amplify it: then what speaks against it is zeroed, by "
            "how well the model predicts its own pictures of it."
        ),
    ] = "erase"
    components: Annotated[
        Literal["positive", "negative", "both"] | None,
        Field(
            description="Whether those that speak for the concept go, or against it; left out, as "
            "the goal asks."
        ),
    ] = None
    ratio: Annotated[
        float,
        Field(
            gt=0, le=1, strict=True, description="How much of the row, the weight or all is zeroed."
        ),
    ] = 0.08
    scope: Annotated[
        Scope,
        Field(description="Whether each row, each weight or all together give up that much."),
    ] = "global"
    rounding: Annotated[
        Literal["up", "down"],
        Field(description="How the ratio of a row is rounded; `down` may take nothing at all."),
    ] = "up"
    granularity: Annotated[
        Granularity,
        Field(description="What goes as one: a weight, a hidden unit, or a whole feed-forward."),
    ] = "weight"
    base: Annotated[
        Literal["target", "empty"],
        Field(description="What the concept is held against: its target's prompts, or none."),
    ] = "target"
    along: Annotated[
        Literal["both", "concept"],
        Field(
            description="Which samplings are looked at: with the concept alone, or without it too."
        ),
    ] = "both"
    preserve: Annotated[
        tuple[str, ...],
        Field(description="Concepts that stay as they are, in the same prompts; left out, some."),
    ] = ()
    held: Annotated[
        int,
        Field(
            ge=0, strict=True, description="How many prompts that stay are looked at; 0 for none."
        ),
    ] = 48
    floor: Annotated[
        float,
        Field(gt=0, strict=True, description="Damage that counts as none, in units of its mean."),
    ] = 0.1
    pictures: Annotated[
        int, Field(ge=1, strict=True, description="How many seeds each prompt is scored with.")
    ] = 1

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("setting") == "published":
            return {**PUBLISHED, **data}
        return data

    @model_validator(mode="after")
    def _is_meant(self) -> ComponentRemoval:
        if self.goal == "erase" and self.components == "negative":
            raise ValueError(
                "components: without those that speak against it a concept gets stronger; if that "
                "is meant, say goal: amplify"
            )
        if self.granularity != "weight" and self.scope == "row":
            raise ValueError(f"scope: a {self.granularity} lies in many rows; say matrix or global")
        if self.rounding == "down" and self.scope != "row":
            raise ValueError("rounding: only the ratio of a row is rounded down")
        return self

    def wanted(self, layout: Layout) -> Wanted:
        """The prompts of the concepts with what they are held against, and those that stay."""
        pairs = [pair for one in self.concepts for pair in prompt_pairs(one, contexts=True)]
        if self.base == "empty":
            pairs = [(source, "") for source, _ in pairs]
        return Wanted(
            method=self.scored_by,
            sites=tuple(map(str, self.sites(layout))),
            pairs=tuple(pairs),
            held=tuple(islice(dict.fromkeys(self._staying()), self.held)),
            seeds=tuple(range(self.pictures)),
            steps=self.steps,
            guidance=self.guidance,
            settings=(("goal", self.goal), ("along", self.along)),
        )

    def _staying(self) -> Iterator[str]:
        """Prompts that should stay: nothing, what concepts become, others in their place, captions.

        One of each sort after the other, so that the first few are some of every sort.
        """
        erased = [one.erase for one in self.concepts]
        known = Names(erased)
        targets = [pair[1] for one in self.concepts for pair in prompt_pairs(one, contexts=True)]
        siblings = [name for one in self.concepts for name in SIBLINGS[one.kind]]
        names = self.preserve or tuple(dict.fromkeys(siblings))
        names = tuple(name for name in names if not _meets(name, known))
        own = carriers(self.concepts, contexts=True)
        yield ""
        sorts = (_rotated(names, own), iter(targets), _rotated(names, own), iter(CAPTIONS))
        yield from (text for text in _in_turn(sorts) if not _meets(text, known))

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """The mask of each weight that has one.

        Raises:
            EditError: the scores are of another model or goal, or nothing is above zero.
        """
        scores = self._checked(context)
        for site in weights:
            scores.check(str(site), weights[site])
        picked = self._picked(tuple(weights), scores)
        made: dict[Site, Delta] = {
            site: zeroed(weights[site], places, self.strength)
            for site, places in picked.items()
            if len(places)
        }
        if not made:
            raise EditError(
                f"a ratio of {self.ratio:g} takes no weight out",
                hint="round it up or raise it; or nothing speaks that way",
            )
        return made

    def _checked(self, context: Context) -> Scores:
        scores = self.found(context)
        goal = scores.facts.get("goal", self.goal)
        if goal != self.goal:
            raise EditError(
                f"the scores were made to {goal}, and the edit is to {self.goal}",
                hint=f"say goal: {goal}, or score anew",
            )
        return scores

    def _picked(self, sites: Sequence[Site], scores: Scores) -> dict[Site, np.ndarray]:
        """Site -> places in its weight."""
        if self.rounding == "down":
            return {site: published(self._signed(scores, site), self.ratio) for site in sites}
        damage = [scores.held[str(site)] for site in sites if str(site) in scores.held]
        mean = sum(float(one.sum(dtype=np.float64)) for one in damage)
        floor = self.floor * mean / max(1, sum(one.size for one in damage))
        groups: Sequence[Part] = parts(self.granularity, sites, scores, self._signed)
        values = [
            one.wins if one.harms is None or not floor else worth(one.wins, one.harms, floor)
            for one in groups
        ]
        return chosen(groups, values, self.ratio, self.scope)

    def _signed(self, scores: Scores, site: Site) -> np.ndarray:
        """Values above zero where a component is to go."""
        values = scores.of(str(site))
        meant = self.components or ("positive" if self.goal == "erase" else "negative")
        if meant == "both":
            return np.abs(values)
        return values if meant == "positive" else -values


def _meets(text: str, erased: Names) -> bool:
    own = words(text)
    return any(within(name, own) for name in erased.sharing(own))


def _rotated(names: Sequence[str], templates: Sequence[str]) -> Iterator[str]:
    """Every name in turn, each in the next template."""
    count = max(len(names), len(templates)) if names and templates else 0
    for number in range(len(names) * count):
        template = templates[(number + number // max(1, len(names))) % len(templates)]
        yield template.replace("{}", names[number % len(names)])


def _in_turn(sorts: Sequence[Iterator[str]]) -> Iterator[str]:
    left = list(sorts)
    while left:
        for sort in tuple(left):
            text = next(sort, None)
            if text is None:
                left.remove(sort)
            else:
                yield text
