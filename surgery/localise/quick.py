"""run_quick: a glance at every window, then the best few in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from surgery.judges.noise import NoiseJudge
from surgery.localise.run import Means, run_probe
from surgery.localise.study import CASES, Study
from surgery.probes.check import Check
from surgery.probes.quick import Quick
from surgery.probes.windows import width
from surgery.report import Cost, ProbeReport, Score


def run_quick(
    means: Means, probe: Quick, study: Study, count: int, threshold: float
) -> ProbeReport:
    """Foretell the effect of every window, and run those in full that promise most.

    Args:
        means: its judge scores what is run in full; glances are scored by the model's own
            predictions, since there is no finished picture.
        count: windows of a size that are run in full, 0 for none.
        threshold: of the whole effect, from which on a window suffices.
    """
    glance = run_probe(replace(means, judge=NoiseJudge()), probe, study)
    if not count:
        return replace(glance, notes=(UNCHECKED, *glance.notes))
    pairs = study.question.pairs[:CASES]
    few = replace(study, question=replace(study.question, pairs=pairs), seeds=study.seeds[:1])
    check = Check(_ranking(glance), count, threshold)
    return _joined(glance, run_probe(means, check, few), len(pairs))


UNCHECKED = "No window was run in full: --check 3 does that with the best three."


def _ranking(glance: ProbeReport) -> tuple[str, ...]:
    """The windows from the size that sufficed at a glance on, of each size the best first."""
    least = width(glance.scores[0].site) if glance.found else 1
    every = [*glance.scores, *glance.smaller]
    large = [score for score in every if width(score.site) >= least]
    return tuple(
        score.site for score in sorted(large, key=lambda score: (width(score.site), -score.effect))
    )


def _joined(glance: ProbeReport, check: ProbeReport, cases: int) -> ProbeReport:
    full = {score.site: score.shown for score in check.scores}
    every = [replace(one, shown=full.get(one.site)) for one in (*glance.scores, *glance.smaller)]
    size = width(check.found or check.scores[-1].site)
    shown = tuple(score for score in every if width(score.site) == size)
    return replace(
        glance,
        judge=f"noise at a glance, {check.judge} in full",
        scores=shown,
        smaller=_others(every, shown),
        anchors=check.anchors,
        checked=check.scores,
        found=check.found,
        settings={**glance.settings, "prompts run in full": cases},
        cost=_sum(glance.cost, check.cost),
        notes=(glance.notes[0], *check.notes),
        pictures=check.pictures,
    )


def _others(every: Sequence[Score], shown: Sequence[Score]) -> tuple[Score, ...]:
    return tuple(score for score in every if score not in shown)


def _sum(one: Cost | None, other: Cost | None) -> Cost | None:
    if one is None or other is None:
        return one or other
    return Cost(
        one.evaluations + other.evaluations,
        one.seconds + other.seconds,
        max(one.peak_mb, other.peak_mb),
        one.kept + other.kept,
    )
