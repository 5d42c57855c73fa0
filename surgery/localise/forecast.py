"""What a probe will cost, from the model's structure alone. Loads no network."""

from __future__ import annotations

from dataclasses import dataclass

from surgery.layout import Layout
from surgery.localise.study import Study
from surgery.probes.base import Probe
from surgery.probes.locogen import LocoGen
from surgery.probes.windows import depth, starts


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


def forecast(probe: Probe, layout: Layout, study: Study) -> Forecast:
    """Count the runs of a probe, the most that there can be."""
    is_clean = probe.way == "substitute"
    cases, places = len(study.cases(not is_clean)), _places(probe, layout)
    anchors = 2 * cases * (1 if is_clean else len(study.noises))
    rows = cases * places
    branches = 1 if study.sampling.guidance == 1 else 2
    companions = _companions(cases, rows, study.batch) if probe.way == "restore" else 0
    runs = anchors + rows + companions
    return Forecast(cases, places, runs * study.sampling.steps * branches)


def _companions(cases: int, rows: int, batch: int) -> int:
    """Clean runs: one for each case of each batch, where a batch may end amid a case."""
    return min(rows, -(-rows // batch) + cases - 1)


def _places(probe: Probe, layout: Layout) -> int:
    if isinstance(probe, LocoGen) and probe.window is None and layout.probing is None:
        count = depth(layout)
        sizes = range(1, max(2, count // 2 + 1))
        return sum(len(starts(count, size, probe.stride or 1)) for size in sizes)
    return len(probe.arms(layout, ()))
