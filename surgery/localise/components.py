"""score_components: what each component of a model counts for a concept, and a report of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from heapq import nlargest
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from surgery.edits import EDITS
from surgery.edits.scored import TakesScores
from surgery.edits.scores import Scores, Wanted
from surgery.errors import UsageError
from surgery.layout import Layout, detect
from surgery.localise.chosen import chosen_questions, completed
from surgery.localise.wish import Circumstance, Wish
from surgery.model import Model, load_model
from surgery.model.memory import peak_mb
from surgery.numerics.extremes import largest
from surgery.questions import Question, vocabulary_of
from surgery.report import Component, ComponentReport, Correlation, Cost, SiteScores
from surgery.scores import SCORERS, Scorer
from surgery.scores.attribution import Attribution
from surgery.scores.linearity import RATIO, linearity
from surgery.scores.neurons import found_apart
from surgery.stage import Stage, unwatched
from surgery.store.checkpoint import Checkpoint

ATTRIBUTION = "attribution"
SHOWN = 20
"""Components on either side that a report names."""
PER_QUESTION = 8
"""Prompts that a concept is scored with, where nobody says how many."""


def score_components(
    checkpoint: Checkpoint,
    wish: Wish,
    where: Circumstance,
    stage: Stage = unwatched,
    progress: Path | None = None,
) -> tuple[ComponentReport, Scores]:
    """Score the components of a model, for one concept.

    Args:
        progress: of attribution, see there; stays, for as long as nobody has kept the scores.

    Raises:
        UsageError: no concept is named, or a wish that cannot be met.
        CheckpointError, LayoutError: a model that cannot be read or run.
    """
    question, wanted = what_to_score(checkpoint, wish, where.device)
    model = load_model(
        checkpoint,
        config=where.config,
        tokenizer=where.tokenizer,
        device=where.device,
        dtype=where.dtype,
        resolution=where.resolution,
    )
    began = time.monotonic()
    scores = _scorer(wish, where, progress).score(model, wanted, stage)
    found = _tried(model, wanted, scores, wish.linearity, stage)
    cost = Cost(model.evaluations, time.monotonic() - began, peak_mb())
    report = component_report(scores, checkpoint.address, model, (question, wanted, cost))
    if wish.method == ATTRIBUTION:
        report = replace(report, linearity=found, notes=(*report.notes, _trust(wish.linearity)))
    return report, scores


def _scorer(wish: Wish, where: Circumstance, progress: Path | None) -> Scorer:
    if wish.method == ATTRIBUTION:
        return Attribution(progress, where.checkpointing)
    return SCORERS[wish.method]()


def _tried(
    model: Model, wanted: Wanted, scores: Scores, count: int, stage: Stage
) -> Correlation | None:
    """How what attribution foretells goes with what random masks change."""
    if not count:
        return None
    found = linearity(model, wanted, scores, ablations=count, stage=stage)
    return Correlation(found.pearson, *found.interval, count)


def _trust(count: int) -> str:
    if count:
        return f"For the correlation, each random mask zeroes {RATIO:.1%} of all scored weights."
    return "How well scores foretell what masks do was not measured; --linearity 100 does."


def what_to_score(checkpoint: Checkpoint, wish: Wish, device: str) -> tuple[Question, Wanted]:
    """The question, and what has to be scored for it.

    Raises:
        UsageError: no concept is named.
        LayoutError: the model has not what should be scored.
    """
    if wish.concept is None:
        raise UsageError("components are scored for one concept", hint="name it by --concept")
    if wish.linearity and wish.method != ATTRIBUTION:
        raise UsageError(f"{wish.method} has no --linearity", hint="leave it out")
    vocabulary, layout = vocabulary_of(checkpoint), detect(checkpoint)
    whole = completed(replace(wish, prompts=wish.prompts or PER_QUESTION), vocabulary, device)
    (question,) = chosen_questions(whole, vocabulary)
    return question, wanted_for(question, whole, layout)


def wanted_for(question: Question, wish: Wish, layout: Layout) -> Wanted:
    """What the method's own edit would have scored, with the question's prompts."""
    edit = edit_for(question, wish)
    assert wish.seeds is not None and wish.steps is not None and wish.guidance is not None
    wanted = edit.wanted(layout)
    bare = not any(target for _, target in wanted.pairs)
    pairs = tuple((pair.source, "" if bare else pair.target) for pair in question.pairs)
    seeds = tuple(range(wish.first_seed, wish.first_seed + wish.seeds))
    return replace(wanted, pairs=pairs, seeds=seeds, steps=wish.steps, guidance=wish.guidance)


def edit_for(question: Question, wish: Wish) -> TakesScores:
    """The edit that is solved on the scores of the wished method.

    Raises:
        UsageError: what the edit does not take.
    """
    kinds = (one for one in EDITS.values() if issubclass(one, TakesScores))
    kind = next(one for one in kinds if getattr(one, "scored_by", None) == wish.method)
    concept = {"erase": question.concept, "target": question.target, "kind": question.sort}
    fields: dict[str, object] = {"concepts": [concept], **kind.by_scores, **_asked(wish, kind)}
    if "preserve" in kind.model_fields:
        fields["preserve"] = list(question.siblings)
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{wish.method} cannot be asked so: {reason}") from error


def _asked(wish: Wish, kind: type[TakesScores]) -> Mapping[str, str]:
    given = {"where": wish.where, "base": wish.base, "goal": wish.goal}
    for name, value in given.items():
        if value is not None and name not in kind.model_fields:
            raise UsageError(f"{wish.method} has no --{name}", hint="leave it out")
    return {name: value for name, value in given.items() if value is not None}


def component_report(
    scores: Scores, address: str, model: Model, asked: tuple[Question, Wanted, Cost]
) -> ComponentReport:
    """What the scores say, in figures of layers and in the components that stand out."""
    question, wanted, cost = asked
    single = next(iter(scores.values.values())).ndim == 2
    return ComponentReport(
        model=address,
        fingerprint=model.fingerprint,
        method=scores.method,
        concept=question.concept,
        target=question.target,
        sort=question.sort,
        unit="weight" if single else "row",
        sites=tuple(_site(site, values) for site, values in scores.values.items()),
        positive=_first(scores, 1),
        negative=_first(scores, -1),
        prompts=wanted.pairs,
        settings={key: value for key, value in scores.facts.items() if "prompt" not in key},
        notes=found_apart(scores),
        cost=cost,
    )


def _site(site: str, values: np.ndarray) -> SiteScores:
    over, under = values > 0, values < 0
    return SiteScores(
        site=site,
        count=values.size,
        positive=int(over.sum()),
        negative=int(under.sum()),
        towards=float(values[over].sum(dtype=np.float64)),
        against=float(values[under].sum(dtype=np.float64)),
    )


def _first(scores: Scores, sign: int) -> tuple[Component, ...]:
    """The components with the largest scores of a sign, over all sites."""
    found = [
        _component(site, values, int(place))
        for site, values in scores.values.items()
        for place in largest(sign * values, SHOWN)
    ]
    return tuple(nlargest(SHOWN, found, key=lambda one: sign * one.score))


def _component(site: str, values: np.ndarray, place: int) -> Component:
    score = float(values.ravel()[place])
    if values.ndim == 1:
        return Component(site, place, None, score)
    row, column = divmod(place, values.shape[1])
    return Component(site, row, column, score)
