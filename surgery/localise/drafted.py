"""The recipe that follows from a report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from surgery.draft import FIRST_TEXT, draft_recipe, usable
from surgery.edits.base import Edit
from surgery.errors import EditError, UsageError
from surgery.layout import detect
from surgery.localise.wish import Wish
from surgery.questions import Question, Vocabulary, ask, vocabulary_of
from surgery.recipe import Recipe
from surgery.report import ProbeReport, Score
from surgery.report.findings import headline, percent
from surgery.store.checkpoint import Checkpoint

DRAFTED = ("quick", "locogen", "weights", "trace_text")
"""Probes whose places an edit can be made of."""


SCORED = ("attribution", "conceptprune", "neurons")
"""Probes of whose scores a mask can be made, where they are kept."""

EVERY_VALUE = "cross_attn.v"
DIRECTIONS = """\
# Rows alone do little where a concept is spread over all of them, as it mostly is: this drops a
# direction of each head instead, see neuron_dropout. Many unlike prompts find it; with few, more of
# the concept is left. To drop the rows that were scored, as published: `basis: native` with
# `count: 100` and `scores`, the file that --scores wrote, instead of `prompts`.
"""


def must_be_drafted(wish: Wish, scores: Path | None = None) -> None:
    """Refuse what no recipe can follow from, before anything is measured.

    Raises:
        UsageError: no concept, places of which no edit is made, or scores that are not kept.
    """
    if wish.concept is None:
        raise UsageError("a recipe without a concept", hint="name one by --concept")
    if wish.method in SCORED:
        if scores is None and wish.method != "neurons":
            raise UsageError("a recipe of scores that are not kept", hint="keep them by --scores")
        return
    if wish.method not in DRAFTED:
        hint = f"use {' or '.join(DRAFTED[:2])}"
        raise UsageError(f"no recipe follows from {wish.method}", hint=hint)


def drafted(
    report: ProbeReport, vocabulary: Vocabulary, layers: int, own_prompts: Sequence[str] = ()
) -> str:
    """The text of a recipe that takes the concept out of the place that was found.

    Where no window holds it alone, all cross-attention is edited.

    Args:
        layers: how many cross-attention layers the model has.
        own_prompts: those that the probe was given, if any.

    Raises:
        UsageError: no edit is known for what was found.
    """
    question = ask(
        report.concept,
        report.target,
        report.sort,  # type: ignore[arg-type]
        prompts=list(own_prompts) or None,
        vocabulary=vocabulary,
    )
    told = evidence(report)
    if report.method == "trace_text":
        if not report.found.startswith(FIRST_TEXT):
            raise UsageError(
                f"no edit is known for {report.found or 'what was traced'}",
                hint="find a window: --method quick",
            )
        return draft_recipe(question, FIRST_TEXT, model=report.model, evidence=told)
    return draft_recipe(
        question, report.found or None, model=report.model, evidence=told, layers=layers
    )


def evidence(report: ProbeReport, most: int = 5) -> tuple[str, ...]:
    """The finding, the best places with their figures, and how they were measured."""
    ranked = sorted(report.scores, key=lambda score: -score.effect)[:most]
    keys = ("prompts", "seeds", "steps", "guidance")
    settings = ", ".join(f"{key} {report.settings[key]}" for key in keys if key in report.settings)
    how = f"{report.method}, judge {report.judge}; {settings}"
    return (headline(report), *map(_line, ranked), how)


def _line(score: Score) -> str:
    parts = [f"{score.name}: effect {percent(score.effect)}"]
    if score.low is not None and score.high is not None:
        parts.append(f"({percent(score.low)} to {percent(score.high)})")
    if score.shown is not None:
        parts.append(f"still shown {percent(score.shown.value)} of {score.shown.count}")
    return " ".join(parts)


def drafted_mask(
    question: Question, wish: Wish, checkpoint: Checkpoint, scores: Path | None, recipe: Path
) -> str:
    """The text of a recipe that masks components by scores that were kept.

    Of neurons it drops directions of heads, which need no scores: a concept is seldom sparse in
    rows as they are stored.

    Args:
        scores: the score file; None where none is kept.
        recipe: where the recipe will be; it names the file as seen from there.

    Raises:
        UsageError: the score file lies in another folder, or no edit masks what was scored.
    """
    # Imported here because what is refused is refused before a network is loaded.
    from surgery.localise.components import edit_for

    if wish.method == "neurons":
        edit, told = _directions(question, wish, vocabulary_of(checkpoint)), DIRECTIONS
    else:
        assert scores is not None
        if scores.resolve().parent != recipe.resolve().parent:
            raise UsageError("the scores lie outside the recipe's folder", hint="keep both in one")
        edit, told = edit_for(question, wish).model_copy(update={"scores": scores.name}), ""
    _must_take(edit, wish, checkpoint)
    word = re.sub(r"[^a-z0-9]+", "_", question.concept.casefold()).strip("_") or "concept"
    by = "the scores of " + wish.method if not told else "directions of the heads' values"
    about = f"What speaks for {question.concept} is masked, by {by}."
    made = Recipe(
        version=1,
        name=f"mask_{word}",
        description=about,
        model=checkpoint.address,
        edits=(edit,),
    )
    return told + made.dump()


def _directions(scored: Question, wish: Wish, vocabulary: Vocabulary) -> Edit:
    """The edit that drops a direction of each head, on all prompts there are and not a few."""
    from surgery.edits import EDITS

    concept, target, sort = scored.concept, scored.target, scored.sort
    own = list(wish.own_prompts) or None
    question = ask(concept, target, sort, prompts=own, vocabulary=vocabulary)
    about = {"erase": concept, "target": target, "kind": sort}
    asked = {**about, "prompts": usable(question) or None}
    where = wish.where or EVERY_VALUE
    return EDITS["neuron_dropout"].model_validate({"concepts": [asked], "where": where})


def _must_take(edit: Edit, wish: Wish, checkpoint: Checkpoint) -> None:
    """Refuse a recipe that `apply` would refuse."""
    try:
        edit.sites(detect(checkpoint))
    except EditError as error:
        raise UsageError(
            f"no recipe follows from scores of {wish.where}: {error.what}",
            hint="leave --recipe out, or name some of cross_attn.{k,v} by --where",
        ) from error
