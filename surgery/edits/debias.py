"""Debias: what a concept shows of each attribute is shifted by adding the attributes' states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from surgery.edits.base import SETTINGS, Ask, Kind, Position
from surgery.edits.names import words
from surgery.edits.templates import filled

CLOSE = 1e-6


class Debias(BaseModel):
    """A concept, the attributes it may show, and how much of each is added to it.

    Source: Gandikota et al. 2024, arXiv 2308.14761, section 4.3.
    """

    model_config = SETTINGS

    concept: Annotated[str, Field(description="The words that name the concept.")]
    attributes: Annotated[
        tuple[str, ...],
        Field(min_length=2, description="Words for what it may show, such as a red ball."),
    ]
    ratios: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1)], ...] | None,
        Field(description="The share of pictures each should have; left out, all the same."),
    ] = None
    amounts: Annotated[
        tuple[float, ...] | None,
        Field(description="How much of each is added; `surgery debias` finds them."),
    ] = None
    kind: Annotated[Kind, Field(description="Which prompt templates are used.")] = "object"

    @model_validator(mode="after")
    def _is_sound(self) -> Debias:
        if not all(words(name) for name in (self.concept, *self.attributes)):
            raise ValueError("an empty name has no subject")
        if len({words(name) for name in (self.concept, *self.attributes)}) <= len(self.attributes):
            raise ValueError("attributes: one stands there twice, or is the concept itself")
        for field in ("ratios", "amounts"):
            given = getattr(self, field)
            if given is not None and len(given) != len(self.attributes):
                raise ValueError(f"{field}: {len(given)} for {len(self.attributes)} attributes")
        if self.ratios is not None and abs(sum(self.ratios) - 1) > CLOSE:
            raise ValueError(f"ratios: they add up to {sum(self.ratios):g}, not to 1")
        return self

    @property
    def wanted(self) -> tuple[float, ...]:
        """The share each attribute should have."""
        count = len(self.attributes)
        return self.ratios if self.ratios is not None else (1 / count,) * count

    @property
    def added(self) -> tuple[float, ...]:
        """How much of each attribute is added; none as long as nothing is said."""
        return self.amounts if self.amounts is not None else (0.0,) * len(self.attributes)

    def pairs(self, places: Sequence[Position]) -> Iterator[tuple[Ask, Ask]]:
        """One pair of places for each attribute: together they ask for k + sum_i a_i t_i.

        Each of the m attributes asks for k + m a_i t_i with 1/m of the weight, and the least
        squares of targets for one key are those of their mean.
        """
        count = len(self.attributes)
        mixed = zip(self.attributes, self.added, strict=True)
        for (name, amount), place in product(mixed, places):
            prompts = zip(filled(self.kind, self.concept), filled(self.kind, name), strict=True)
            for prompt, other in prompts:
                source = Ask(prompt, self.concept, place, 1 / count)
                yield source, Ask(other, name, place, amount=count * amount)
