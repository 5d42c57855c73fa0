"""Quickfix: rewrite the first text attention's output map, so that one subject reads as another.

The end token gathers what the prompt is about and carries a concept beside its last token; where a
name falls into several sub-words, its last token alone hardly carries it. Both are edited, and each
sub-word of the name, unless `positions` says otherwise (`last` is the paper's choice).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from surgery.edits.base import Ask, Asks, Concept, Context, Edit, Matrix, Position, words
from surgery.edits.delta import Delta, LowRank
from surgery.edits.preserve import Reach, preserve_asks
from surgery.edits.templates import prompt_pairs, target_of
from surgery.errors import EditError
from surgery.numerics.closed_form import Keys, feasibility, shared_factors

if TYPE_CHECKING:
    from surgery.layout import Layout, Site

SITE = "text.self_attn.out[0]"
READS = (
    "text.token_embedding[0], text.position_embedding[0], text.norm1.{weight,bias}[0], "
    "text.self_attn.{q,k,v}.{weight,bias}[0]"
)
PLACES: Mapping[Reach, tuple[Position, ...]] = {
    "last": ("subject",),
    "eos": ("subject", "eos"),
    "name": ("name", "eos"),
    "pads": ("name", "eos", "pads"),
    "all": ("all",),
}


class QuickFix(Edit):
    """Give each concept's tokens the output that its target has, and leave the rest.

    With W the output map of the first text self-attention and k, t its inputs at the tokens of a
    concept and at the last of its target, the edit minimises

        sum_i s_i |W' k_i - W t_i'|^2 + f sum_j q_j |(W' - W) p_j|^2 + r |W' - W|^2,

    t' = k + strength (t - k), r = ridge mean |k|^2, over the preserve keys p. The map's bias is in
    both outputs and cancels. f = preserve_scale sum_i s_i / sum_j q_j: however many prompts are
    held, together they count preserve_scale times as much as those edited. Without that, a set
    larger than the width of the states holds every direction, and the concept stays.

    Source: Basu et al. 2024, Localizing and Editing Knowledge in Text-to-Image Generative Models,
    arXiv 2310.13730, eq. 8-9, without its doubled bias; preserve terms as in arXiv 2308.14761.
    """

    method: Literal["quickfix"] = "quickfix"
    concepts: Annotated[
        tuple[Concept, ...], Field(min_length=1, description="What is erased, all in one solve.")
    ]
    preserve: Annotated[
        tuple[str, ...], Field(description="Concepts to hold besides the built-in set.")
    ] = ()
    preserve_defaults: Annotated[
        bool, Field(strict=True, description="Whether to hold the built-in set.")
    ] = True
    preserve_scale: Annotated[
        float,
        Field(
            ge=0,
            strict=True,
            description="What all that is held counts, against all that is edited.",
        ),
    ] = 3.0
    positions: Annotated[
        Reach,
        Field(
            description="Where a prompt is edited: last, the concept's last token; eos, the end "
            "token too; name, every token of the concept and the end token; pads, the padding "
            "too; all, everything from its first token on."
        ),
    ] = "name"
    ridge: Annotated[
        float,
        Field(gt=0, strict=True, description="What changing the weight counts, in mean |key|^2."),
    ] = 0.01

    @model_validator(mode="after")
    def _is_sound(self) -> QuickFix:
        erased = [words(concept.erase) for concept in self.concepts]
        for number, concept in enumerate(erased):
            if concept in erased[:number]:
                raise ValueError(f"concepts: {self.concepts[number].erase!r} is erased twice")
        for name in self.preserve:
            if not name.strip():
                raise ValueError("preserve: an empty name has no subject to hold")
            if words(name) in erased:
                raise ValueError(f"preserve: {name!r} is also erased")
        return self

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The first output map of the text tower."""
        return layout.select(SITE)

    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """All that comes before it: the embeddings, the first norm, queries, keys and values."""
        return layout.select(READS)

    def asks(self, layout: Layout) -> Asks:
        """Each concept's places with its target's, and what is held."""
        held = preserve_asks(
            self.concepts, self.preserve, defaults=self.preserve_defaults, reach=self.positions
        )
        return Asks(edited=tuple(self._pairs()), preserve=held)

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """One shared pair of right factors; each weight multiplies the left one."""
        keys = self.keys(context)
        targets = context.keys + self.strength * (context.targets - context.keys)
        left, right = shared_factors(targets, keys)
        return {site: _change(weight, left, right) for site, weight in weights.items()}

    def keys(self, context: Context) -> Keys:
        """What is solved: the ridge in the keys' own units, preserve keys with their scale.

        Raises:
            EditError: there is no key, or a state is not finite.
        """
        return _keys(self, context)

    def _found_keys(self, context: Context) -> Keys:
        states = (context.keys, context.targets, context.preserve)
        if not all(np.isfinite(state).all() for state in states):
            raise EditError("the text states hold NaN or infinite numbers", hint="check the model")
        if not context.keys.any():
            raise EditError("there is no text state to edit")
        return Keys(
            edited=context.keys,
            weights=context.key_weights,
            preserve=context.preserve,
            preserve_weights=self._firmness(context) * context.preserve_weights,
            ridge=self.ridge * float(np.mean(np.sum(context.keys**2, axis=1))),
        )

    def _firmness(self, context: Context) -> float:
        total = float(context.preserve_weights.sum())
        return self.preserve_scale * float(context.key_weights.sum()) / total if total else 0.0

    def feasibility(self, context: Context) -> Matrix:
        """The share of each edited key that holding leaves free, (n,); below `ridge` it stays."""
        return feasibility(self.keys(context))

    def _pairs(self) -> Iterator[tuple[Ask, Ask]]:
        for concept in self.concepts:
            for source, target in prompt_pairs(concept):
                for place in PLACES[self.positions]:
                    goal = Ask(target, target_of(concept), place)
                    yield Ask(source, concept.erase, place), goal


@lru_cache(maxsize=1)
def _keys(edit: QuickFix, context: Context) -> Keys:
    """The same keys for a solve and for its figures, so that what is costly is done once."""
    return edit._found_keys(context)


def _change(weight: Matrix, left: Matrix, right: Matrix) -> LowRank:
    if weight.shape[1] != len(left):
        raise EditError(f"a weight of shape {weight.shape} cannot read states of width {len(left)}")
    return LowRank(up=weight.astype(np.float64) @ left, down=right)
