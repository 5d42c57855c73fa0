"""The recipe that follows from a report."""

from __future__ import annotations

from collections.abc import Sequence

from surgery.draft import FIRST_TEXT, draft_recipe
from surgery.errors import UsageError
from surgery.localise.wish import Wish
from surgery.questions import Vocabulary, ask
from surgery.report import ProbeReport, Score
from surgery.report.findings import headline, percent

DRAFTED = ("quick", "locogen", "weights", "trace_text")
"""Probes whose places an edit can be made of."""


def must_be_drafted(wish: Wish) -> None:
    """Refuse what no recipe can follow from, before anything is measured.

    Raises:
        UsageError: no concept, or a probe whose places no edit is made of.
    """
    if wish.concept is None:
        raise UsageError("a recipe without a concept", hint="name one by --concept")
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
