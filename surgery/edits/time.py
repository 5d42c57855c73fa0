"""TIME: correct a fact or an assumption in every key and value matrix, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from surgery.edits.base import Ask, Concept, Position
from surgery.edits.checks import Check
from surgery.edits.concept_checks import other_checks
from surgery.edits.cross_attention import CrossAttentionEdit
from surgery.edits.ridge import Ridge
from surgery.edits.templates import prompt_pairs

if TYPE_CHECKING:
    from surgery.layout import Layout


class Time(CrossAttentionEdit):
    """Make a prompt read as another, word by word: a rose as a blue rose.

    The ridge edit of every key and value matrix; k and t are the finished text states. Each place
    of the source gets the output of the next place with the same token, and a token that the
    target does not have that of the last place.

    Source: Orgad, Kawar and Belinkov 2023, Editing Implicit Assumptions in Text-to-Image Diffusion
    Models, arXiv 2303.08084, eq. 3; its ridge of 0.1 is against |k|^2 of some 770, where this one
    is relative, and it holds nothing.
    """

    method: Literal["time"] = "time"
    positions: Annotated[
        Literal["eos", "all"],
        Field(description="Where a prompt is edited: eos, up to its end; all, the padding too."),
    ] = "all"
    ridge: Ridge = 0.0001

    def checks(self, layout: Layout) -> tuple[Check, ...]:
        """The edit's own prompts, place by place, and other wordings of them."""
        own = (
            Check("prompts", concept.erase, *pair)
            for concept in self.concepts
            for pair in _matched(concept, self.positions)
        )
        return (*own, *other_checks(self.concepts))

    def _pairs(self) -> Iterator[tuple[Ask, Ask]]:
        for concept in self.concepts:
            yield from _matched(concept, self.positions)


def _matched(concept: Concept, reach: str) -> Iterator[tuple[Ask, Ask]]:
    places: Position = "whole" if reach == "all" else "prompt"
    for source, target in prompt_pairs(concept):
        yield Ask(source, concept.erase, places), Ask(target, concept.target, "match")
