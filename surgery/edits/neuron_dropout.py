"""Neuron dropout: zero the few outputs of keys and values that carry a concept.

An output is a row of the weights as they are stored (`native`), or any direction of a head's output
space (`aligned`): a concept may be sparse in the one and not in the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from surgery.edits.base import Ask, Asks, Context, Matrix, States
from surgery.edits.concept_checks import concept_checks
from surgery.edits.cross_attention import ALL, towers_of
from surgery.edits.delta import Delta, LowRank, Rows
from surgery.edits.places import PLACES
from surgery.edits.preserve import Reach
from surgery.edits.ridge import Concepts
from surgery.edits.scored import TakesScores
from surgery.edits.scores import Wanted
from surgery.edits.templates import prompt_pairs, target_of
from surgery.edits.window import window_of
from surgery.errors import EditError
from surgery.numerics.aligned import Directions, by_head, standing_out
from surgery.numerics.neurons import picked, z_values

if TYPE_CHECKING:
    from surgery.edits.checks import Check
    from surgery.layout import Layout, Site

PUBLISHED = 100
"""Rows that are dropped where nothing says how many; the paper's figures go from 30 to 100."""

NATIVE = ("count", "share", "false_discovery", "scores")
ALIGNED = ("directions", "ridge", "heads")


class NeuronDropout(TakesScores):
    """Take out of keys and values the few outputs by which a concept differs from its plain word.

    With `basis: native` the rows with the largest |z| become zero, z the two-sample statistic of
    a row's output at the concept's tokens and at those of its target, over all sites together; all
    other rows stay: W' minimises |W' - W|^2 with those rows at (1 - strength) of what they were.

    With `basis: aligned` each head's outputs lose all they have along a few directions A, those of
    most difference between the two against what is there without the concept: C a = l M a, see
    `surgery.numerics.aligned`. W' = W - strength M A A' W minimises |M^-1/2 (W' - W)|^2 with
    A' W' = (1 - strength) A' W. A change of basis of a head's outputs, undone by what reads them,
    is the same model; so rows are one choice of directions, and no better than any other.

    `replace: mean` leaves what is taken away at its mean without the concept. A weight without a
    bias can do so along the shared direction m of all states alone, by m' / |m|^2 in place of a
    constant: it is approximate.

    Source: Basu et al. 2024, arXiv 2405.01008, section 6, for rows; directions are our own.
    """

    states: ClassVar[States] = "conditioning"
    scored_by: ClassVar[str] = "neurons"
    by_scores: ClassVar[Mapping[str, str]] = {"basis": "native"}
    method: Literal["neuron_dropout"] = "neuron_dropout"

    concepts: Concepts
    basis: Annotated[
        Literal["native", "aligned"],
        Field(description="Rows as they are stored, or directions of each head's outputs."),
    ] = "aligned"
    positions: Annotated[
        Reach | Literal["final"],
        Field(
            description="Where the outputs are compared: last, the concept's last token; eos, the "
            "end token too; name, pads, all, as in other edits; final, the last place of the "
            "padding alone, as published."
        ),
    ] = "eos"
    count: Annotated[
        int | None, Field(ge=1, strict=True, description="How many rows, over all sites.")
    ] = None
    share: Annotated[
        float | None, Field(gt=0, le=1, strict=True, description="The same as a share of them.")
    ] = None
    false_discovery: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            strict=True,
            description="Rows count only up to this rate of false discoveries.",
        ),
    ] = None
    directions: Annotated[
        int, Field(ge=1, strict=True, description="How many directions of each head.")
    ] = 1
    ridge: Annotated[
        float,
        Field(
            gt=0,
            strict=True,
            description="What every direction counts besides what plain prompts have there.",
        ),
    ] = 0.1
    heads: Annotated[
        int | None,
        Field(ge=1, strict=True, description="Heads of each layer, where the model does not say."),
    ] = None
    replace: Annotated[
        Literal["zero", "mean"],
        Field(description="What is left: nothing, or about as much as plain prompts have."),
    ] = "zero"

    @model_validator(mode="after")
    def _settings_are_of_its_basis(self) -> NeuronDropout:
        other = ALIGNED if self.basis == "native" else NATIVE
        for name in other:
            if name in self.model_fields_set and getattr(self, name) is not None:
                raise ValueError(f"{name}: says nothing with basis {self.basis}")
        if self.count is not None and self.share is not None:
            raise ValueError("share: count says already how many rows")
        return self

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """What `where` names; left out, of the window that the layout gives for the kind the keys
        and values, or with aligned directions the values alone.

        Raises:
            LayoutError: nothing says which layers control the kind in such a model.
            EditError: weights that read something else than text.
        """
        if self.where is not None:
            return _of_text(layout.select(self.where))
        window = layout.select(window_of(self.concepts, layout))
        return tuple(s for s in window if self.basis == "native" or s.kind.endswith(".v"))

    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """The text towers, whole."""
        return towers_of(layout)

    def asks(self, layout: Layout) -> Asks:
        """Each concept's places with its target's."""
        return Asks(edited=tuple(self._pairs()))

    def checks(self, layout: Layout) -> tuple[Check, ...]:
        """The edit's own prompts, other wordings of them, the end token and the padding."""
        reach = "eos" if self.positions == "final" else self.positions
        return concept_checks(self.concepts, reach, contexts=True)

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """Zeroed rows, or thin factors with so many columns as there are directions."""
        if not (np.isfinite(context.keys).all() and np.isfinite(context.targets).all()):
            raise EditError("the text states hold NaN or infinite numbers", hint="check the model")
        if self.basis == "native":
            return self._rows(weights, context)
        return {site: self._factors(site, one, context) for site, one in weights.items()}

    def wanted(self, layout: Layout) -> Wanted:
        """All keys and values, or what `where` names: one file serves every window."""
        place = "final" if self.positions == "final" else "end"
        return Wanted(
            method=self.scored_by,
            sites=tuple(map(str, layout.select(self.where or ALL))),
            pairs=tuple(pair for one in self.concepts for pair in prompt_pairs(one, contexts=True)),
            settings=(("place", place),),
        )

    def _rows(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        found = {site: self._z(site, weight, context) for site, weight in weights.items()}
        total = sum(map(len, found.values()))
        count = self.count or (math.ceil(self.share * total) if self.share else PUBLISHED)
        chosen = picked(tuple(found.values()), min(count, total), self.false_discovery)
        made: dict[Site, Delta] = {}
        for (site, weight), rows in zip(weights.items(), chosen, strict=True):
            if len(rows):
                gone = self._gone(weight[rows], context)
                made[site] = Rows(rows, -self.strength * gone, (weight.shape[0], weight.shape[1]))
        return made

    def _z(self, site: Site, weight: Matrix, context: Context) -> Matrix:
        scores = context.scores
        if scores is None:
            return z_values(context.keys @ weight.T, context.targets @ weight.T)
        scores.must_be_by(self.scored_by, self.method)
        scores.check(str(site), weight)
        return scores.of(str(site)).astype(np.float64)

    def _factors(self, site: Site, weight: Matrix, context: Context) -> LowRank:
        heads = self._heads(site, weight)
        up, down = [], []
        gone = self._gone(weight, context)
        for rows in by_head(heads, len(weight)):
            found = self._directions(weight[rows], context)
            wide = np.zeros((len(weight), found.fill.shape[1]))
            wide[rows] = -self.strength * found.fill
            up.append(wide)
            down.append(found.read.T @ gone[rows])
        return LowRank(np.concatenate(up, axis=1), np.concatenate(down))

    def _directions(self, weight: Matrix, context: Context) -> Directions:
        """Those of one head."""
        counts = np.sqrt(context.key_weights)[:, None]
        differences = (counts * (context.keys - context.targets)) @ weight.T
        plain = (counts * context.targets) @ weight.T
        return standing_out(differences, plain, self.directions, self.ridge)

    def _gone(self, weight: Matrix, context: Context) -> Matrix:
        """What is taken away of rows, or of directions: all, or all but the mean without it."""
        if self.replace == "zero":
            return weight
        mean = context.targets.mean(axis=0)
        return weight - np.outer(weight @ mean, mean / (mean @ mean))

    def _heads(self, site: Site, weight: Matrix) -> int:
        heads = self.heads or site.heads
        if heads is None:
            raise EditError(
                f"nothing says how many heads {site} has",
                hint="put the network's config.json beside it, or give `heads` in the recipe",
            )
        if len(weight) % heads:
            raise EditError(f"{len(weight)} rows of {site} do not fall into {heads} heads")
        return heads

    def _pairs(self) -> Iterator[tuple[Ask, Ask]]:
        places = ("final",) if self.positions == "final" else PLACES[self.positions]
        for concept in self.concepts:
            for source, target in prompt_pairs(concept, contexts=True):
                for place in places:
                    goal = Ask(target, target_of(concept), place)
                    yield Ask(source, concept.erase, place), goal


def _of_text(sites: tuple[Site, ...]) -> tuple[Site, ...]:
    if other := [site for site in sites if site.kind not in ("cross_attn.k", "cross_attn.v")]:
        raise EditError(
            f"{other[0]} is neither a key nor a value of cross-attention",
            hint=f"name some of {ALL} in `where`",
        )
    return sites
