"""What a probe will cost, from the model's structure alone. Loads no network."""

from __future__ import annotations

from dataclasses import dataclass

from surgery.layout import Layout
from surgery.localise.study import Study
from surgery.probes.base import Probe
from surgery.probes.locogen import LocoGen


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will be run.

    Args:
        cases: prompts x seeds x draws.
        places: how many are tried at most; windows of every size for a probe that picks its own.
        evaluations: of the denoiser on one sample, at most.
    """

    cases: int
    places: int
    evaluations: int


def forecast(probe: Probe, layout: Layout, study: Study) -> Forecast:
    """Count the runs of a probe, the most that there can be."""
    cases = len(study.cases(probe.way != "substitute"))
    places = _places(probe, layout)
    branches = 1 if study.sampling.guidance == 1 else 2
    companions = -(-places // study.batch) if probe.way == "restore" else 0
    rows = cases * (places + 2 + companions)
    return Forecast(cases, places, rows * study.sampling.steps * branches)


def _places(probe: Probe, layout: Layout) -> int:
    first = len(probe.arms(layout, ()))
    if isinstance(probe, LocoGen) and probe.window is None and layout.probing is None:
        # Sizes 1, 2, ... up to half of the layers, each with one window less than the last.
        return sum(first - one for one in range(first // 2))
    return first
