"""The recipe that follows from a report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from surgery.draft import FIRST_TEXT, draft_recipe
from surgery.errors import UsageError
from surgery.localise.wish import Wish
from surgery.questions import Question, Vocabulary, ask
from surgery.recipe import Recipe
from surgery.report import ProbeReport, Score
from surgery.report.findings import headline, percent

DRAFTED = ("quick", "locogen", "weights", "trace_text")
"""Probes whose places an edit can be made of."""


SCORED = ("attribution", "conceptprune", "neurons")
"""Probes of whose scores a mask can be made, where they are kept."""


def must_be_drafted(wish: Wish, scores: Path | None = None) -> None:
    """Refuse what no recipe can follow from, before anything is measured.

    Raises:
        UsageError: no concept, places of which no edit is made, or scores that are not kept.
    """
    if wish.concept is None:
        raise UsageError("a recipe without a concept", hint="name one by --concept")
    if wish.method in SCORED:
        if scores is None:
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


def drafted_mask(question: Question, wish: Wish, scores: Path, recipe: Path) -> str:
    """The text of a recipe that masks components by scores that were kept.

    Args:
        scores: the score file.
        recipe: where the recipe will be; it names the file as seen from there.

    Raises:
        UsageError: the score file lies in another folder.
    """
    # Imported here because what is refused is refused before a network is loaded.
    from surgery.localise.components import edit_for

    if scores.resolve().parent != recipe.resolve().parent:
        raise UsageError("the scores lie outside the recipe's folder", hint="keep both in one")
    edit = edit_for(question, wish).model_copy(update={"scores": scores.name})
    word = re.sub(r"[^a-z0-9]+", "_", question.concept.casefold()).strip("_") or "concept"
    about = f"What speaks for {question.concept} is masked, by the scores of {wish.method}."
    return Recipe(version=1, name=f"mask_{word}", description=about, edits=(edit,)).dump()
