"""What the ridge edits share: concepts, what is held, at which tokens, and the objective.

An edit of this family says which weights it changes; every one of them that reads the same states
gets the same map, so that one solve serves them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, model_validator

from surgery.edits.base import Ask, Asks, Concept, Context, Edit, Matrix
from surgery.edits.concept_checks import concept_checks
from surgery.edits.names import words
from surgery.edits.places import PLACES
from surgery.edits.preserve import Reach, preserve_asks
from surgery.edits.templates import prompt_pairs, target_of
from surgery.errors import EditError
from surgery.numerics.closed_form import Keys, feasibility

if TYPE_CHECKING:
    from surgery.edits.checks import Check
    from surgery.layout import Layout

Concepts = Annotated[
    tuple[Concept, ...], Field(min_length=1, description="What is erased, all in one solve.")
]
Positions = Annotated[
    Reach,
    Field(
        description="Where a prompt is edited: last, the concept's last token; eos, the end "
        "token too; name, every token of the concept and the end token; pads, the padding "
        "too; all, everything from its first token on."
    ),
]
Scale = Annotated[
    float,
    Field(
        ge=0,
        strict=True,
        description="What all that is held counts, against all that is edited.",
    ),
]
Ridge = Annotated[
    float,
    Field(gt=0, strict=True, description="What changing the weight counts, in mean |key|^2."),
]


MANY = 100
"""Of more concepts than this, the shortest prompts have to do: each prompt costs time."""


class RidgeEdit(Edit):
    """Give each concept's tokens the output that its target has, and leave the rest.

    With W any of the edited weights and k, t the states it reads at the tokens of a concept and of
    its target, the edit minimises

        sum_i s_i |W' k_i - W t_i'|^2 + f sum_j q_j |(W' - W) p_j|^2 + r |W' - W|^2,

    t' = k + strength (t - k), r = ridge mean |k|^2, over the preserve keys p. A bias is in both
    outputs and cancels. f = preserve_scale sum_i s_i / sum_j q_j: however many prompts are held,
    together they count preserve_scale times as much as those edited. Without that, a set larger
    than the width of the states holds every direction, and the concept stays.

    Source: Basu et al. 2024, arXiv 2310.13730, eq. 8-9; preserve terms as in arXiv 2308.14761.
    """

    contexts: ClassVar[bool] = False
    """Whether concepts are also edited in prompts that show something else."""

    concepts: Concepts
    preserve: Annotated[
        tuple[str, ...], Field(description="Concepts to hold besides the built-in set.")
    ] = ()
    preserve_defaults: Annotated[
        bool, Field(strict=True, description="Whether to hold the built-in set.")
    ] = True
    preserve_scale: Scale = 3.0
    positions: Positions = "name"
    ridge: Ridge = 0.01

    @model_validator(mode="after")
    def _names_are_sound(self) -> RidgeEdit:
        seen: set[tuple[str, ...]] = set()
        for concept in self._changed():
            if (name := words(concept.erase)) in seen:
                raise ValueError(f"concepts: {concept.erase!r} is erased twice")
            seen.add(name)
        for held in self.preserve:
            if not held.strip():
                raise ValueError("preserve: an empty name has no subject to hold")
            if words(held) in seen:
                raise ValueError(f"preserve: {held!r} is also erased")
        return self

    def asks(self, layout: Layout) -> Asks:
        """Each concept's places with its target's, and what is held."""
        held = preserve_asks(
            self._changed(),
            self.preserve,
            defaults=self.preserve_defaults,
            reach=self.positions,
            contexts=self._in_company(),
        )
        return Asks(edited=tuple(self._pairs()), preserve=held)

    def checks(self, layout: Layout) -> tuple[Check, ...]:
        """The edit's own prompts, other wordings of them, the end token and the padding."""
        return concept_checks(self.concepts, self.positions, contexts=self._in_company())

    def keys(self, context: Context) -> Keys:
        """What is solved: the ridge in the keys' own units, preserve keys with their scale.

        Raises:
            EditError: there is no key, or a state is not finite.
        """
        return _keys(self, context)

    def targets(self, context: Context) -> Matrix:
        """The states whose outputs the keys are to have, (n, in)."""
        return context.keys + self.strength * (context.targets - context.keys)

    def feasibility(self, context: Context) -> Matrix:
        """The share of each edited key that holding leaves free, (n,); below `ridge` it stays."""
        return feasibility(self.keys(context))

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

    def _changed(self) -> tuple[Concept, ...]:
        """Everything whose meaning changes, and that is therefore not held."""
        return self.concepts

    def _in_company(self) -> bool:
        return self.contexts and len(self.concepts) <= MANY

    def _pairs(self) -> Iterator[tuple[Ask, Ask]]:
        for concept in self.concepts:
            for source, target in prompt_pairs(concept, contexts=self._in_company()):
                for place in PLACES[self.positions]:
                    goal = Ask(target, target_of(concept), place)
                    yield Ask(source, concept.erase, place), goal


@lru_cache(maxsize=1)
def _keys(edit: RidgeEdit, context: Context) -> Keys:
    """The same keys for a solve and for its figures, so that what is costly is done once."""
    return edit._found_keys(context)
