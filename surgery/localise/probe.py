"""probe: where does a model keep a concept, or styles, objects and facts altogether."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import torch

from surgery.engine import Engine, Serial
from surgery.judges import Judge, choose_judge
from surgery.layout import Layout, detect
from surgery.localise.chosen import (
    chosen_probe,
    chosen_questions,
    completed,
    enough,
    study_of,
)
from surgery.localise.hint import hint
from surgery.localise.journal import Journal
from surgery.localise.quick import run_quick
from surgery.localise.run import Means, run_probe
from surgery.localise.study import Study
from surgery.localise.survey import survey_of
from surgery.localise.tools import Addresses, addresses_of
from surgery.localise.wish import Circumstance, Wish
from surgery.model import Model, load_model
from surgery.model.load import device_of
from surgery.probes.quick import Quick
from surgery.probes.weights import Weights
from surgery.questions import Question, vocabulary_of
from surgery.report import ProbeReport, SurveyReport
from surgery.stage import Stage, unwatched
from surgery.store.checkpoint import Checkpoint, open_checkpoint

if TYPE_CHECKING:
    from surgery.judges.given import Scorer
    from surgery.model.base import Precision
    from surgery.questions import Sort


class Settings(TypedDict, total=False):
    """The fields of `Wish` and `Circumstance`, which say what each is."""

    target: str | None
    sort: Sort | None
    own_prompts: tuple[str, ...]
    method: str
    judge: str | Scorer | Judge
    clip: str | None
    prompts: int | None
    seeds: int | None
    check: int | None
    first_seed: int
    draws: int
    steps: int | None
    guidance: float | None
    noise: float | None
    window: int | None
    stride: int | None
    threshold: float | None
    batch: int
    per_sort: int | None
    thumbnails: bool
    device: str
    dtype: Precision
    resolution: int | None
    config: Path | None
    tokenizer: Path | None
    threads: int | None


def probe(
    model: str | Path | Checkpoint,
    concept: str | None = None,
    *,
    journal: Journal | None = None,
    stage: Stage = unwatched,
    engine: Engine | None = None,
    **settings: Unpack[Settings],
) -> ProbeReport | SurveyReport:
    """Find out which layers of a model keep a concept.

    Args:
        model: an address, or a checkpoint that is open.
        concept: None asks about several built-in styles, objects and facts.
        journal: measurements of earlier runs, to which new ones are added.
        stage: told how the sampling goes on.
        engine: see `surgery.engine.engine_for`; None runs everything in this process.
        settings: see `surgery.localise.wish`.

    Returns:
        A report of the concept; where none is named, of several of each sort.

    Raises:
        UsageError: a wish that cannot be met.
        CheckpointError, LayoutError: a model that cannot be read or run.
    """
    places = {field.name for field in fields(Circumstance)}
    where = {key: value for key, value in settings.items() if key in places}
    wish = {key: value for key, value in settings.items() if key not in places}
    asked = Wish(concept, **wish)  # type: ignore[arg-type]
    opened = model if isinstance(model, Checkpoint) else open_checkpoint(model)
    return answer(opened, asked, Circumstance(**where), journal, stage, engine=engine)  # type: ignore[arg-type]


def answer(
    checkpoint: Checkpoint,
    wish: Wish,
    where: Circumstance,
    journal: Journal | None = None,
    stage: Stage = unwatched,
    *,
    engine: Engine | None = None,
) -> ProbeReport | SurveyReport:
    """What `probe` does, of values."""
    vocabulary, layout = vocabulary_of(checkpoint), detect(checkpoint)
    whole = completed(wish, vocabulary, where.device)
    asked = chosen_questions(whole, vocabulary)
    probe = chosen_probe(whole, layout)
    if isinstance(probe, Weights):
        return _all(lambda study: hint(checkpoint, layout, probe, study, where), asked, whole)
    engine = engine or Serial()
    model, judge = _loaded(checkpoint, whole, where, asked, engine)
    threads = where.threads or (1 if vocabulary == "atelier" or not engine.is_here else _all_here())
    kept = journal or Journal()
    means = Means(model, judge, checkpoint.address, kept, stage, engine, threads)
    return _all(_asker(means, layout, whole), asked, whole)


def _all(
    ask: Callable[[Study], ProbeReport], asked: Sequence[Question], wish: Wish
) -> ProbeReport | SurveyReport:
    reports = tuple(ask(study_of(wish, question)) for question in asked)
    return reports[0] if wish.concept is not None else survey_of(reports)


def _all_here() -> int:
    """As many threads as torch takes by itself."""
    return torch.get_num_threads()


def _loaded(
    checkpoint: Checkpoint,
    wish: Wish,
    where: Circumstance,
    asked: Sequence[Question],
    engine: Engine,
) -> tuple[Model | Addresses, Judge]:
    """The judge before the model, which takes longer and which workers load themselves."""
    device = where.device if engine.is_here else "cpu"
    device_of(device)
    judge = choose_judge(wish.judge, checkpoint, clip=wish.clip, questions=asked, device=device)
    if not engine.is_here:
        return addresses_of(checkpoint, where, wish.clip), judge
    model = load_model(
        checkpoint,
        config=where.config,
        tokenizer=where.tokenizer,
        device=where.device,
        dtype=where.dtype,
        resolution=where.resolution,
    )
    return model, judge


def _asker(means: Means, layout: Layout, wish: Wish) -> Callable[[Study], ProbeReport]:
    """How each question is asked of a model in memory."""
    probe = chosen_probe(wish, layout, means.judge.name)
    if isinstance(probe, Quick):
        count, threshold = wish.check or 0, enough(wish, layout, means.judge.name)
        return lambda study: run_quick(means, probe, study, count, threshold)
    return lambda study: run_probe(means, probe, study)
