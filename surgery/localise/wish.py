"""What a user may ask of a probe, and what is chosen where nothing was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from surgery.errors import UsageError
from surgery.localise.study import NOISES, Study
from surgery.probes import PROBES
from surgery.probes.base import Probe
from surgery.questions import Question, Sort, Vocabulary, ask, questions
from surgery.runs.base import Sampling
from surgery.store.text import nearest

if TYPE_CHECKING:
    from surgery.model.base import Precision

GUIDANCE: Mapping[Vocabulary, float] = {"atelier": 3.0, "world": 7.5}
"""Latents of 8 x 8 saturate at the usual 7.5."""
STEPS: Mapping[Vocabulary, int] = {"atelier": 20, "world": 50}
PER_SORT = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """Everything about a probe but the model.

    Args:
        concept: None asks for styles, objects and facts that are built in.
        target, sort: None for what is built in for the concept.
        method: one of PROBES.
        judge: who scores: auto, atelier, clip or noise.
        clip: address of the CLIP model, for that judge.
        prompts, seeds: how many of each are crossed.
        first_seed: of the pictures.
        draws: of noise, for probes that corrupt.
        steps, guidance: of sampling; None for what is usual for the model.
        noise: on the concept's tokens, in standard deviations of their embeddings; None for the
            least that takes the concept from half of the pictures.
        window, stride, threshold: of probes of windows, see `LocoGen`.
        batch: pictures that are made at a time.
        per_sort: how many concepts of each sort, where no concept is named.
    """

    concept: str | None = None
    target: str | None = None
    sort: Sort | None = None
    own_prompts: tuple[str, ...] = ()
    method: str = "locogen"
    judge: str = "auto"
    clip: str | None = None
    prompts: int = 8
    seeds: int = 2
    first_seed: int = 0
    draws: int = 3
    steps: int | None = None
    guidance: float | None = None
    noise: float | None = None
    window: int | None = None
    stride: int | None = None
    threshold: float | None = None
    batch: int = 8
    per_sort: int = PER_SORT
    thumbnails: bool = False

    def __post_init__(self) -> None:
        counts = ("prompts", "seeds", "draws", "steps", "window", "stride", "batch", "per_sort")
        for name in counts:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be 1 or more, got {value}")


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Where and how a model is run, which should not matter to what is found."""

    device: str = "cpu"
    dtype: Precision = "float32"
    resolution: int | None = None
    config: Path | None = None
    tokenizer: Path | None = None


def chosen_probe(wish: Wish) -> Probe:
    """The probe with the settings that were given.

    Raises:
        UsageError: there is no such probe.
    """
    if (kind := PROBES.get(wish.method)) is None:
        close = nearest(wish.method, PROBES)
        hint = f"did you mean {close!r}?" if close else "there are " + ", ".join(PROBES)
        raise UsageError(f"there is no probe {wish.method!r}", hint=hint)
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    given = {name: getattr(wish, name) for name in ("window", "stride", "threshold")}
    return kind(
        **{key: value for key, value in given.items() if key in names and value is not None}
    )


def chosen_questions(wish: Wish, vocabulary: Vocabulary) -> tuple[Question, ...]:
    """The concept's question, or the built-in ones, with as many prompts as wished.

    Raises:
        UsageError: nothing says what sort the concept is, or what should take its place.
    """
    if wish.concept is not None:
        own = list(wish.own_prompts) or None
        asked = [ask(wish.concept, wish.target, wish.sort, prompts=own, vocabulary=vocabulary)]
    else:
        asked = _of_each_sort(questions(vocabulary, [wish.sort] if wish.sort else None), wish)
    return tuple(replace(one, pairs=one.pairs[: wish.prompts]) for one in asked)


def _of_each_sort(known: tuple[Question, ...], wish: Wish) -> list[Question]:
    """The first few of each sort."""
    chosen: list[Question] = []
    for one in known:
        if sum(other.sort == one.sort for other in chosen) < wish.per_sort:
            chosen.append(one)
    return chosen


def study_of(wish: Wish, question: Question, vocabulary: Vocabulary) -> Study:
    """Over what a question's figures are taken."""
    sampling = Sampling(
        wish.steps or STEPS[vocabulary],
        GUIDANCE[vocabulary] if wish.guidance is None else wish.guidance,
    )
    noises = NOISES if wish.noise is None else (wish.noise,)
    seeds = tuple(range(wish.first_seed, wish.first_seed + wish.seeds))
    return Study(question, sampling, seeds, wish.draws, noises, wish.batch, wish.thumbnails)
