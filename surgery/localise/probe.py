"""probe: where does a model keep a concept, or styles, objects and facts altogether."""

from __future__ import annotations

from pathlib import Path

from surgery.judges import Judge, choose_judge
from surgery.localise.journal import Journal
from surgery.localise.run import run_probe
from surgery.localise.study import Stage, unwatched
from surgery.localise.survey import survey_of
from surgery.localise.wish import Circumstance, Wish, chosen_probe, chosen_questions, study_of
from surgery.model import load_model
from surgery.questions import vocabulary_of
from surgery.report import ProbeReport, SurveyReport
from surgery.store.checkpoint import Checkpoint, open_checkpoint

ANYWHERE = Circumstance()


def probe(
    model: str | Path | Checkpoint,
    wish: Wish,
    where: Circumstance = ANYWHERE,
    *,
    judge: Judge | None = None,
    journal: Journal | None = None,
    stage: Stage = unwatched,
) -> ProbeReport | SurveyReport:
    """Find out which layers of a model keep a concept.

    Args:
        model: an address, or a checkpoint that is open.
        wish: the concept, the method, and how much is measured.
        judge: scores pictures instead of the judge that the wish names.
        journal: measurements of earlier runs, to which new ones are added.
        stage: told how the sampling goes on.

    Returns:
        A report of the concept; where the wish names none, of several of each sort.

    Raises:
        UsageError: a wish that cannot be met.
        CheckpointError, LayoutError: a model that cannot be read or run.
    """
    checkpoint = model if isinstance(model, Checkpoint) else open_checkpoint(model)
    vocabulary = vocabulary_of(checkpoint)
    method, asked = chosen_probe(wish), chosen_questions(wish, vocabulary)
    loaded = load_model(
        checkpoint,
        config=where.config,
        tokenizer=where.tokenizer,
        device=where.device,
        dtype=where.dtype,
        resolution=where.resolution,
    )
    scorer = judge or choose_judge(
        wish.judge, checkpoint, clip=wish.clip, questions=asked, device=where.device
    )
    reports = tuple(
        run_probe(
            loaded,
            method,
            scorer,
            study_of(wish, question, vocabulary),
            address=checkpoint.address,
            journal=journal,
            stage=stage,
        )
        for question in asked
    )
    return reports[0] if wish.concept is not None else survey_of(reports)
