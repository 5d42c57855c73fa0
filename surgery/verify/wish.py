"""What a user may ask of a verification. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from surgery.edits.base import Concept
from surgery.errors import UsageError
from surgery.verify.values import FIRST_SEED

if TYPE_CHECKING:
    from surgery.judges.given import Scorer
    from surgery.model.base import Precision
    from surgery.recipe import Recipe
    from surgery.verify.given import Given

LAST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """Everything about a verification but the models.

    Args:
        concepts: what should be gone, by name; () for those of the recipe.
        keep: what should stay; what is built in comes after it.
        recipe: that made the second model; None for the one that its files hold.
        given: prompts of the user's own, instead of the built-in ones.
        sorts, targets, synonyms: of concepts, by name, where neither a recipe nor a list says.
        judge: atelier, clip, auto, the address of a classifier, `python:module:function`, or a
            function.
        clip: address of a CLIP or SigLIP model.
        metrics: `lpips`, `fid`, both or none.
        threshold: from which score of a function on the concept counts as shown.
        seeds: for each prompt; None for as many as the group needs.
        pictures: at most so many of each set and model.
        steps, guidance: of sampling; None for what is usual for the model.
        limits: gates by name, over those of the recipe; None for no such gate.
        kept_pictures: pairs of each set that the report shows.
    """

    concepts: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    recipe: Recipe | None = None
    given: tuple[Given, ...] = ()
    sorts: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    judge: str | Scorer = "auto"
    clip: str | None = None
    metrics: tuple[str, ...] = ()
    threshold: float = 0.5
    seeds: int | None = None
    first_seed: int = FIRST_SEED
    pictures: int | None = None
    steps: int | None = None
    guidance: float | None = None
    limits: Mapping[str, float | None] = field(default_factory=dict)
    kept_pictures: int = 4

    def __post_init__(self) -> None:
        for name in ("seeds", "pictures", "steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be 1 or more, got {value}")
        if self.guidance is not None and not isfinite(self.guidance):
            raise UsageError(f"guidance must be a number, got {self.guidance}")
        if not 0 <= self.first_seed <= LAST_SEED - 10**7:
            raise UsageError(f"the first seed goes from 0 to {LAST_SEED - 10**7}")


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Where and how pictures are painted; batch and engine change none of them."""

    device: str = "cpu"
    dtype: Precision = "float32"
    batch: int = 16
    threads: int = 1
    resolution: int | None = None
    config: str | None = None
    tokenizer: str | None = None


ALL = Wish()
"""Nothing but what a recipe, the models and the built-in lists say."""
HERE = Circumstance()
"""On this machine's CPU."""


def concepts_of(recipe: Recipe) -> tuple[Concept, ...]:
    """What a recipe takes out or replaces, each once."""
    found: dict[str, Concept] = {}
    for edit in recipe.edits:
        for one in getattr(edit, "concepts", ()):
            found.setdefault(one.erase, one)
    return tuple(found.values())


def preserved_by(recipe: Recipe) -> tuple[str, ...]:
    """What a recipe names to hold."""
    named = (name for edit in recipe.edits for name in getattr(edit, "preserve", ()))
    return tuple(dict.fromkeys(named))
