"""What a user may ask of a probe, and where it is to be run. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import UsageError
from surgery.questions import Sort

if TYPE_CHECKING:
    from surgery.judges import Judge
    from surgery.judges.given import Scorer
    from surgery.model.base import Precision

LAST_SEED = 2**63 - 1
FEWEST = 4
"""Random masks of which a correlation has an interval."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Everything about a probe but the model.

    Args:
        concept: None asks for styles, objects and facts that are built in.
        target, sort: None for what is built in for the concept.
        own_prompts: with {} for the concept, instead of the built-in ones.
        method: one of PROBES.
        judge: who scores: auto, atelier, clip, noise, or a function of pictures (n, height, width,
            3), uint8, and the question that gives n scores.
        clip: address of the CLIP model, for that judge.
        prompts, seeds: how many of each are crossed; None for as many as the method needs.
        check: of the windows that `quick` finds best, how many are run in full; None for three
            where that is cheap.
        first_seed: of the pictures.
        draws: of noise, for probes that corrupt.
        steps, guidance: of sampling; None for what is usual for the model.
        noise: on the concept's tokens, in standard deviations of their embeddings; None for the
            least that takes the concept from half of the pictures.
        window, stride, threshold: of probes of windows, see `LocoGen`.
        batch: pictures that are made at a time.
        where, base, goal: of scores of components: which weights, what the concept is held against,
            and whether it is to be erased or amplified; None for what the method's edit takes.
        linearity: random masks by which attribution's scores are tried; 0 for none.
        per_sort: how many concepts of each sort, where no concept is named; None for three where
            that is cheap, else one.
    """

    concept: str | None = None
    target: str | None = None
    sort: Sort | None = None
    own_prompts: tuple[str, ...] = ()
    method: str = "quick"
    judge: str | Scorer | Judge = "auto"
    clip: str | None = None
    prompts: int | None = None
    seeds: int | None = None
    first_seed: int = 0
    check: int | None = None
    draws: int = 3
    steps: int | None = None
    guidance: float | None = None
    noise: float | None = None
    window: int | None = None
    stride: int | None = None
    threshold: float | None = None
    batch: int = 8
    per_sort: int | None = None
    thumbnails: bool = False
    where: str | None = None
    base: str | None = None
    goal: str | None = None
    linearity: int = 0

    def __post_init__(self) -> None:
        counts = ("prompts", "seeds", "draws", "steps", "window", "stride", "batch", "per_sort")
        for name in counts:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be 1 or more, got {value}")
        if self.concept is None and (self.target or self.own_prompts):
            what = "a target" if self.target else "a prompt of your own"
            raise UsageError(f"{what} without a concept", hint="name one by --concept")
        if self.check is not None and self.check < 0:
            raise UsageError(f"check must be 0 or more, got {self.check}")
        if self.linearity != 0 and self.linearity < FEWEST:
            raise UsageError(f"linearity is 0, or {FEWEST} masks or more, got {self.linearity}")
        for name in ("guidance", "noise", "threshold"):
            value = getattr(self, name)
            if value is not None and not isfinite(value):
                raise UsageError(f"{name} must be a number, got {value}")
        if not 0 <= self.first_seed <= LAST_SEED - (self.seeds or 1):
            raise UsageError(f"seeds go from 0 to {LAST_SEED}")


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Where and how a model is run, which should not matter to what is found.

    Args:
        device: cpu, cuda or mps.
        dtype: what the networks compute in.
        resolution: of the pictures, in pixels; None for what the model was made for.
        config: a diffusers folder with the configuration of an unusual single file.
        tokenizer: a folder with the model's tokenizer, where it comes without one.
        threads: that a batch is computed with, on which its last bits depend; None for one, or in
            this process, of a model that is not small, for all that there are.
        checkpointing: of gradients, where there are any: less memory, half as much time again.
    """

    device: str = "cpu"
    dtype: Precision = "float32"
    resolution: int | None = None
    config: Path | None = None
    tokenizer: Path | None = None
    threads: int | None = None
    checkpointing: bool = False
