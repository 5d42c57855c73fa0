"""Pooled: the second way a prompt gets into an SDXL, which no edit of cross-attention touches.

Beside the time step the denoiser reads one state of the whole prompt: that of the end token, put
through the second text tower's projection. A style or a person gets through there as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from surgery.edits.base import Ask, Asks, Context, Matrix, States
from surgery.edits.checks import Check
from surgery.edits.delta import Delta, Mapped
from surgery.edits.ridge import RidgeEdit
from surgery.edits.templates import prompt_pairs
from surgery.numerics.closed_form import shared_map

if TYPE_CHECKING:
    from surgery.layout import Layout, Site

SITE = "pooled.in[0]"
WORDING = "pooled path"


class Pooled(RidgeEdit):
    """Make whole prompts about a concept read as prompts about its target.

    The ridge edit of the map that reads the pooled state; k and t are the pooled states of whole
    prompts. That map reads the picture's sizes too: keys are 0 there, and so is the change.

    Source: Gandikota et al. 2024, arXiv 2308.14761, eq. 7, on another input.
    """

    states: ClassVar[States] = "pooled"
    method: Literal["pooled"] = "pooled"

    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The map that reads the pooled state."""
        return layout.select(SITE)

    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """The text towers, whole."""
        towers = tuple(f"{role}." for role in layout.towers)
        return tuple(site for site in layout.sites if site.kind.startswith(towers))

    def asks(self, layout: Layout) -> Asks:
        """Each whole prompt with its target's, and the whole prompts that are held."""
        held = {_whole(ask): None for ask in super().asks(layout).preserve if ask.prompt}
        edited = ((_end(own, name), _end(goal, name)) for name, own, goal in self._prompts())
        return Asks(edited=tuple(edited), preserve=tuple(held))

    def checks(self, layout: Layout) -> tuple[Check, ...]:
        """The edit's own prompts."""
        return tuple(
            Check(WORDING, name, _end(own, name), _end(goal, name))
            for name, own, goal in self._prompts()
        )

    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """One map of the pooled states."""
        left, right = shared_map(self.targets(context), self.keys(context))
        return dict.fromkeys(weights, Mapped(left, right))

    def _prompts(self) -> Iterator[tuple[str, str, str]]:
        for concept in self.concepts:
            for own, goal in prompt_pairs(concept):
                yield concept.erase, own, goal


def _whole(ask: Ask) -> Ask:
    return replace(ask, position="eos")


def _end(prompt: str, label: str) -> Ask:
    """The end token of a prompt; the label names its key in reports."""
    return Ask(prompt, label, "eos")
