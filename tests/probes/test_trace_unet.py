from __future__ import annotations

import pytest

from surgery.probes.base import Clean, Restore
from surgery.probes.trace_unet import COUNTED, TraceUnet
from surgery.report import Score
from tests.helpers.probing import FAMILIES, model


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_of_every_kind_is_tried_once(family: str) -> None:
    loaded, probe = model(family), TraceUnet()
    arms = probe.arms(loaded.layout, ())
    assert len(set(arms)) == len(arms)
    tried: dict[str, list[int]] = {}
    for arm in arms:
        what = arm.intervention
        assert isinstance(what, Restore)
        assert arm.site == f"{what.kind}[{what.index}]"
        tried.setdefault(what.kind, []).append(what.index)
    there = {kind: list(range(len(loaded.modules(kind)))) for kind in COUNTED}
    if there["self_attn"] and loaded.modules("self_attn") == loaded.modules("cross_attn"):
        # One layer reads the picture and the text, and is not restored twice.
        there["self_attn"] = []
    assert tried == {kind: layers for kind, layers in there.items() if layers}
    assert probe.arms(loaded.layout, [Score("ff[0]", 0.0, 0.0, 1)]) == ()


def test_some_kinds_may_be_asked_for() -> None:
    arms = TraceUnet(kinds=("ff",)).arms(model("sd1").layout, ())
    assert [arm.site for arm in arms] == [f"ff[{index}]" for index in range(16)]


def test_anchors_restore_nothing_and_corrupt_nothing() -> None:
    corrupted, clean = TraceUnet().anchors(model("sd1").layout)
    assert corrupted.intervention == Restore("", 0)
    assert clean.intervention == Clean()


def test_the_layer_that_brings_back_most_is_found_if_its_interval_is_above_nothing() -> None:
    scored = [
        Score("ff[0]", 0.0, 0.0, 4, 0.3, 0.2, 0.4),
        Score("ff[1]", 0.0, 0.0, 4, 0.7, 0.5, 0.9),
    ]
    assert TraceUnet().found(scored) == ("ff[1]", tuple(scored))
    chance = Score("ff[2]", 0.0, 0.0, 4, 0.8, -0.1, 1.2)
    assert TraceUnet().found([*scored, chance])[0] == ""
    once = Score("ff[2]", 0.0, 0.0, 1, 0.8)
    assert TraceUnet().found([*scored, once])[0] == ""
