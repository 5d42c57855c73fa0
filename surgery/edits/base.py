"""What every edit method is: its settings, what it asks of the text side, and a pure solve.

An edit speaks of site kinds and prompts. It opens no file, runs no model and knows no architecture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from surgery.edits.delta import Delta
from surgery.edits.names import within, words
from surgery.edits.scores import Scores

if TYPE_CHECKING:
    from surgery.edits.checks import Check
    from surgery.layout import Layout, Site

Matrix = NDArray[np.float64]
Kind = Literal["style", "object", "fact"]
Position = Literal[
    "subject",
    "name",
    "bos",
    "eos",
    "pads",
    "final",
    "all",
    "prompt",
    "whole",
    "ends",
    "same",
    "match",
]
States = Literal["first_attention", "conditioning", "pooled", "scores"]
"""What an edit is solved on: what the edited weight reads, which is the input of the first text
attention's output map, the states that cross-attention reads, or the one state of the whole prompt;
or else scores of its components."""

SETTINGS = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Concept(BaseModel):
    """Something a model knows, and what it should make of it instead."""

    model_config = SETTINGS

    erase: Annotated[str, Field(description="The words that name the concept.")]
    target: Annotated[
        str | None, Field(description="What they should mean; left out, a plain word of the kind.")
    ] = None
    kind: Annotated[Kind, Field(description="Which prompt templates are used.")] = "style"
    prompts: Annotated[
        tuple[str | tuple[str, str], ...] | None,
        Field(
            min_length=1,
            description="Prompts instead of the kind's: a template with {} for the concept, or a "
            "pair of prompts, with the concept and with its target.",
        ),
    ] = None

    @model_validator(mode="after")
    def _is_sound(self) -> Concept:
        if not self.erase.strip():
            raise ValueError("erase: an empty prompt has no subject to erase")
        if self.target is not None and not self.target.strip():
            raise ValueError("target: an empty prompt has no subject; leave it out for a plain one")
        if self.target is None and self.kind == "fact":
            raise ValueError("target: a fact needs the new fact")
        if words(self.erase) == words(self.target or ""):
            raise ValueError(f"target: {self.target!r} is the concept that is erased")
        for prompt in self.prompts or ():
            _check_prompt(prompt, self)
        return self


@dataclass(frozen=True, slots=True)
class Ask:
    """Places in a prompt whose state the edit needs.

    Args:
        prompt: as a user would type it; may be empty.
        subject: words that occur in the prompt; names the key in reports too.
        position: `subject` the last token of the subject, `name` all of its tokens; `bos`, `eos`
            that token; `pads` every place after the end token, `final` the last of them; `all`
            from the subject's first token to the last place there is; `prompt` from the begin to
            the end token, `whole` to the last place; `ends` the last word's last token and the end
            token. Of a target only: `same`, as far from the begin as the source's place; `match`,
            the next place with the source's token, or the last place of all.
        weight: how much each of its keys counts.
        optional: left out where the prompt is longer than the model reads; for built-in prompts.
        amount: of a target only: so much of its state is added to the source's; left out, its
            state is the target.
    """

    prompt: str
    subject: str | None
    position: Position
    weight: float = 1.0
    optional: bool = False
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class Asks:
    """All that an edit needs from the text side.

    Args:
        edited: (source, target): at the source's places, what the model makes of the target's.
        preserve: places where nothing should change.
    """

    edited: tuple[tuple[Ask, Ask], ...]
    preserve: tuple[Ask, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """The asked states, as the edited matrices read them; rows are keys.

    Args:
        keys: (n, in), at the source's places.
        targets: (n, in), at the target's places, row by row.
        preserve: (m, in).
        key_labels: (n,), the concept each key belongs to.
        preserve_labels: (m,).
        key_weights: (n,).
        preserve_weights: (m,).
        scores: of components, for an edit that is solved on those; then there are no keys.
    """

    keys: Matrix
    targets: Matrix
    preserve: Matrix
    key_labels: tuple[str, ...]
    preserve_labels: tuple[str, ...]
    key_weights: Matrix
    preserve_weights: Matrix
    scores: Scores | None = None


class Edit(BaseModel, ABC):
    """One edit of a recipe: its settings, and the mathematics as a pure function."""

    model_config = SETTINGS
    states: ClassVar[States]

    method: str
    strength: Annotated[
        float,
        Field(
            ge=0,
            strict=True,
            description="How far outputs go from their old value (0) to the target's (1).",
        ),
    ] = 1.0

    @abstractmethod
    def sites(self, layout: Layout) -> tuple[Site, ...]:
        """The sites whose weights change."""

    @abstractmethod
    def reads(self, layout: Layout) -> tuple[Site, ...]:
        """The sites whose weights are needed to find the asked states."""

    @abstractmethod
    def asks(self, layout: Layout) -> Asks:
        """The places in prompts whose states `solve` needs."""

    def companions(self, layout: Layout) -> tuple[Edit, ...]:
        """Further edits without which this one leaves a way open; solved right after it."""
        return ()

    def checks(self, layout: Layout) -> tuple[Check, ...]:
        """Where to look for what is left, beside the keys of the solve."""
        return ()

    @abstractmethod
    def solve(self, weights: Mapping[Site, Matrix], context: Context) -> dict[Site, Delta]:
        """The change of each weight. Pure: no files, no clock, no chance; inputs stay as they are.

        Args:
            weights: site -> (out, in).
            context: the states that `asks` asked for.

        Raises:
            EditError: there is nothing to solve, or the numbers do not fit.
        """


def _check_prompt(prompt: str | tuple[str, str], concept: Concept) -> None:
    source, target = (prompt, prompt) if isinstance(prompt, str) else prompt
    if "{}" not in source and (isinstance(prompt, str) or not _has(source, concept.erase)):
        raise ValueError(f"prompts: {source!r} holds neither {{}} nor {concept.erase!r}")
    if "{}" not in target and not (concept.target and _has(target, concept.target)):
        raise ValueError(f"prompts: {target!r} holds neither {{}} nor the target")


def _has(text: str, name: str) -> bool:
    return within(words(name), words(text))
