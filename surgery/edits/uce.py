"""UCE: erase, moderate and debias concepts in every key and value matrix at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from surgery.edits.base import Ask, Asks, Concept
from surgery.edits.checks import Check
from surgery.edits.concept_checks import other_checks
from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.debias import Debias
from surgery.edits.places import PLACES
from surgery.edits.preserve import NAMED
from surgery.edits.ridge import Positions, Ridge
from surgery.edits.templates import filled

if TYPE_CHECKING:
    from surgery.layout import Layout

SAME = Ask("", None, "same")
"""The same place of the empty prompt; never its place 0, which stands for no prompt."""


class Uce(CrossAttentionEdit):
    """Make concepts read as their targets in all cross-attention, or as nothing, or fairly.

    The ridge edit of every key and value matrix; k and t are the finished text states. A concept
    to erase becomes its target; one to moderate becomes the empty prompt, place by place; one to
    debias gets t' = k + sum_i a_i t_i, with t_i the states of its attributes and a_i the amounts.

    Source: Gandikota et al. 2024, Unified Concept Editing in Diffusion Models, arXiv 2308.14761,
    eq. 7; its ridge of 0.5 is against |k|^2 of some 770, where this one is relative.
    """

    method: Literal["uce"] = "uce"
    concepts: Annotated[
        tuple[Concept, ...], Field(description="What is erased, all in one solve.")
    ] = ()
    moderate: Annotated[
        tuple[str, ...], Field(description="What should say no more than the empty prompt does.")
    ] = ()
    debias: Annotated[
        tuple[Debias, ...], Field(description="What should show its attributes in given shares.")
    ] = ()
    positions: Positions = "eos"
    ridge: Ridge = 0.001

    @model_validator(mode="after")
    def _changes_something(self) -> Uce:
        if not self._changed():
            raise ValueError("names nothing in concepts, moderate or debias")
        return self

    @property
    def is_idle(self) -> bool:
        """Whether it only debiases, and no amount was found yet."""
        found = any(amount for one in self.debias for amount in one.added)
        return not (self.concepts or self.moderate or found)

    def asks(self, layout: Layout) -> Asks:
        """As every ridge edit; the attributes that debiasing mixes are held too."""
        asks = super().asks(layout)
        mixed = [
            Ask(prompt, attribute, "prompt", NAMED)
            for one in self.debias
            for attribute in one.attributes
            for prompt in filled(one.kind, attribute)
        ]
        return replace(asks, preserve=(*mixed, *asks.preserve))

    def _changed(self) -> tuple[Concept, ...]:
        plain = [Concept(erase=name, kind="object") for name in self.moderate]
        fair = [
            Concept(erase=one.concept, kind=one.kind, target=one.attributes[0])
            for one in self.debias
        ]
        return (*self.concepts, *plain, *fair)

    def checks(self, layout: Layout) -> tuple[Check, ...]:
        """As every ridge edit, and the prompts of what is moderated, with other wordings of it."""
        own = (Check("prompts", str(ask.subject), ask, goal) for ask, goal in self._muted())
        plain = [Concept(erase=name, kind="object") for name in self.moderate]
        others = (replace(check, target=SAME) for check in other_checks(plain))
        return (*super().checks(layout), *own, *others)

    def _pairs(self) -> Iterator[tuple[Ask, Ask]]:
        yield from super()._pairs()
        yield from self._muted()
        for one in self.debias:
            yield from one.pairs(PLACES[self.positions])

    def _muted(self) -> Iterator[tuple[Ask, Ask]]:
        for name in self.moderate:
            for prompt, place in product(filled("object", name), PLACES[self.positions]):
                yield Ask(prompt, name, place), SAME
