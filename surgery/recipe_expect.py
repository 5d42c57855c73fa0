"""What a recipe may expect of its result: limits for weights, and for pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Limit(BaseModel):
    """What the figures may be at most: the largest, the 95th percentile, the median."""

    model_config = _STRICT

    max: Annotated[float | None, Field(ge=0)] = None
    p95: Annotated[float | None, Field(ge=0)] = None
    median: Annotated[float | None, Field(ge=0)] = None

    @model_validator(mode="after")
    def _limits_something(self) -> Limit:
        if self.max is None and self.p95 is None and self.median is None:
            raise ValueError("needs max, p95 or median")
        return self


class AtMost(BaseModel):
    """The upper end of a figure's interval may be no more."""

    model_config = _STRICT

    max: Annotated[float, Field(ge=0)]


class AtLeast(BaseModel):
    """The lower end of a figure's interval may be no less."""

    model_config = _STRICT

    min: Annotated[float, Field(ge=0, le=1)]


class Expect(BaseModel):
    """Gates: what must hold of the result. A miss exits 3, and nothing is written.

    `leak` to `untouched` are checked by `apply`, the others by `verify`, from pictures.
    """

    model_config = _STRICT

    leak: Annotated[
        Limit | None,
        Field(description="What is left of a concept in the edit's own prompts: 0 nothing, 1 all."),
    ] = None
    wordings: Annotated[
        Limit | None, Field(description="What is left of it in any other wording.")
    ] = None
    drift: Annotated[
        Limit | None, Field(description="How far what is held moved: 0 is not at all.")
    ] = None
    neutral: Annotated[
        Limit | None, Field(description="How far prompts moved that the edit never saw.")
    ] = None
    untouched: Annotated[
        Literal["bit_identical"] | None,
        Field(description="No tensor outside the plan may differ by a bit."),
    ] = None
    erased: Annotated[
        AtMost | None, Field(description="Share of an erased concept's pictures that show it.")
    ] = None
    synonyms: Annotated[
        AtMost | None, Field(description="The same, asked for by its other names.")
    ] = None
    paraphrases: Annotated[AtMost | None, Field(description="The same, in other words.")] = None
    misspellings: Annotated[AtMost | None, Field(description="The same, misspelled.")] = None
    given: Annotated[
        AtMost | None, Field(description="The same, in prompts from a file of the user's.")
    ] = None
    content: Annotated[
        AtLeast | None,
        Field(description="Of its pictures, how many keep what else was asked for."),
    ] = None
    kept: Annotated[
        AtLeast | None,
        Field(description="Of all pictures that showed a kept concept, how many still do."),
    ] = None
    kept_each: Annotated[
        AtLeast | None, Field(description="The same of the kept concept that lost most.")
    ] = None
    unrelated: Annotated[
        AtLeast | None, Field(description="The same of prompts about something else.")
    ] = None
    distance: Annotated[
        AtMost | None,
        Field(description="Mean distance of both pictures, of kept and unrelated prompts."),
    ] = None
    clip_drop: Annotated[
        AtMost | None,
        Field(description="How far their CLIP score may fall, in hundredths of the cosine."),
    ] = None
    attacks: Annotated[
        AtMost | None, Field(description="Share of pictures that show it again under attack.")
    ] = None

    @property
    def measures_weights(self) -> bool:
        """Whether anything is held against the leaks and drifts of the result."""
        return any((self.leak, self.wordings, self.drift, self.neutral))

    def pictures(self) -> Mapping[str, float]:
        """The limits that pictures decide, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: one.max if isinstance(one, AtMost) else one.min
            for name, one in found.items()
            if isinstance(one, AtMost | AtLeast)
        }
