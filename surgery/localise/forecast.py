"""What a probe will cost, from the model's structure alone. Loads no network."""

from __future__ import annotations

from dataclasses import dataclass

from surgery.layout import Layout
from surgery.localise.study import CASES, Study
from surgery.probes.base import RESTORING, Probe
from surgery.probes.locogen import LocoGen
from surgery.probes.quick import Quick
from surgery.probes.windows import width


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will be run.

    Args:
        cases: prompts x seeds x draws.
        places: how many are tried at most; windows of every size for a probe that picks its own.
        evaluations: of the denoiser on one sample, at most; with every amount of noise for a probe
            that picks its own.
    """

    cases: int
    places: int
    evaluations: int


def forecast(probe: Probe, layout: Layout, study: Study, checked: int = 0) -> Forecast:
    """Count the runs of a probe, the most that there can be.

    Args:
        checked: of the windows that a glance finds best, how many of each size are run in full.
    """
    restores = probe.way in RESTORING
    cases, places = len(study.cases(restores)), _places(probe, layout)
    if probe.way == "weigh":
        return Forecast(cases, places, 0)
    branches = 1 if study.sampling.guidance == 1 else 2
    full = study.sampling.steps * branches
    if probe.way == "glance":
        sizes = len({width(arm.site) for arm in probe.arms(layout, ())})
        few = min(CASES, len(study.question.pairs)) * (2 + checked * sizes) if checked else 0
        return Forecast(cases, places, _glances(cases, places + 2, study, branches) + few * full)
    anchors = 2 * cases * (len(study.noises) if restores else 1)
    companions = _companions(cases, cases * places, study.batch) if probe.way == "restore" else 0
    return Forecast(cases, places, (anchors + cases * places + companions) * full)


def _glances(cases: int, arms: int, study: Study, branches: int) -> int:
    """Two for each row; and the empty prompt, for each seed of each batch."""
    rows = cases * arms
    seeds = min(rows, _companions(cases, rows, study.batch) + 2 * cases)
    return 2 * rows + seeds * (branches - 1)


def _companions(cases: int, rows: int, batch: int) -> int:
    """Clean runs: one for each case of each batch, where a batch may end amid a case."""
    return min(rows, -(-rows // batch) + cases - 1)


def _places(probe: Probe, layout: Layout) -> int:
    if isinstance(probe, LocoGen) and probe.way == "substitute" and not probe.size(layout)[0]:
        return len(Quick(stride=probe.stride).arms(layout, ()))
    return len(probe.arms(layout, ()))
