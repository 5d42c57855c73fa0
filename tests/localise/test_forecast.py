from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.localise.forecast import forecast
from surgery.probes.base import Probe
from surgery.probes.locogen import LocoGen
from surgery.probes.quick import Quick
from surgery.probes.trace_text import TraceText
from surgery.probes.trace_unet import TraceUnet
from tests.helpers.probing import model, probed, study


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_probe_of_windows_costs_what_was_forecast(guidance: float) -> None:
    loaded, asked = model("if"), study(steps=1, guidance=guidance, draws=5)
    probe = LocoGen(window=8)
    told, report = forecast(probe, loaded.layout, asked), probed(loaded, probe, asked)
    assert report.cost is not None
    assert told.evaluations == report.cost.evaluations
    assert (told.cases, told.places) == (2, len(report.scores))


@pytest.mark.parametrize("stride", [None, 3])
def test_windows_of_every_size_are_counted(stride: int | None) -> None:
    loaded, asked = model("if"), study(seeds=1, steps=1, guidance=1.0)
    probe = LocoGen(threshold=9.0, stride=stride)
    told, report = forecast(probe, loaded.layout, asked), probed(loaded, probe, asked)
    assert report.cost is not None
    assert told.places == len(report.smaller) + len(report.scores)
    assert told.evaluations == report.cost.evaluations


@pytest.mark.parametrize(
    "probe", [TraceUnet(kinds=("ff", "cross_attn")), TraceText(parts=("mlp",))]
)
@pytest.mark.parametrize("batch", [1, 7])
def test_a_traced_probe_costs_no_more_than_was_forecast(probe: Probe, batch: int) -> None:
    loaded = model("if")
    asked = study(seeds=1, steps=1, guidance=1.0, draws=2, batch=batch, noises=(1.0, 2.0))
    told, report = forecast(probe, loaded.layout, asked), probed(loaded, probe, asked)
    assert report.cost is not None
    assert told.cases == 2
    assert report.cost.evaluations <= told.evaluations <= 1.7 * report.cost.evaluations
    assert len(report.scores) <= told.places


def test_more_amounts_of_noise_may_cost_more() -> None:
    layout, asked = model("if").layout, study()
    one, two = (
        forecast(TraceText(), layout, replace(asked, noises=noises)).evaluations
        for noises in ((1.0,), (1.0, 2.0))
    )
    anchors = 2 * 2 * asked.sampling.steps * 2
    assert two - one == anchors


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_glance_costs_no_more_than_was_forecast(guidance: float) -> None:
    loaded, asked = model("if"), study(prompts=2, seeds=2, guidance=guidance, batch=7)
    probe = Quick(window=8)
    told, report = forecast(probe, loaded.layout, asked), probed(loaded, probe, asked)
    assert report.cost is not None
    assert report.cost.evaluations <= told.evaluations <= 1.7 * report.cost.evaluations
    assert (told.cases, told.places) == (4, len(report.scores))
