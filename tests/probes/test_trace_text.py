from __future__ import annotations

import pytest

from surgery.probes.base import Clean, RestoreText
from surgery.probes.roles import ROLES
from surgery.probes.trace_text import PARTS, TraceText
from surgery.report import Score
from tests.helpers.probing import FAMILIES, model


def score(site: str, column: str, effect: float, low: float | None = 0.01) -> Score:
    return Score(site, 0.0, 0.0, 4, effect, low, 1.0, column=column)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_of_every_layer_is_tried_at_every_role_once(family: str) -> None:
    loaded, probe = model(family), TraceText()
    arms = probe.arms(loaded.layout, ())
    assert len(set(arms)) == len(arms)
    wanted = {
        (f"{tower}.{part}[{layer}]", role)
        for tower in loaded.towers
        for part in PARTS
        for layer in range(len(loaded.modules(f"{tower}.{part}")))
        for role in ROLES
    }
    assert {(arm.site, arm.column) for arm in arms} == wanted
    for arm in arms:
        what = arm.intervention
        assert isinstance(what, RestoreText)
        assert (f"{what.kind}[{what.layer}]", what.role) == (arm.site, arm.column)
    assert probe.arms(loaded.layout, [score("text.mlp[0]", "last", 0.0)]) == ()


def test_some_parts_and_roles_may_be_asked_for() -> None:
    probe = TraceText(parts=("layer",), roles=("last", "end"))
    arms = probe.arms(model("sd1").layout, ())
    assert [(arm.site, arm.column) for arm in arms] == [
        ("text.layer[0]", "last"),
        ("text.layer[0]", "end"),
        ("text.layer[1]", "last"),
        ("text.layer[1]", "end"),
    ]


def test_anchors_restore_nothing_and_corrupt_nothing() -> None:
    corrupted, clean = TraceText().anchors(model("sd1").layout)
    assert isinstance(corrupted.intervention, RestoreText) and not corrupted.intervention.kind
    assert clean.intervention == Clean()


def test_the_place_that_brings_back_clearly_most_is_found() -> None:
    scored = [
        score("text.layer[0]", "last", 0.5),
        score("text.layer[1]", "end", 0.9),
        score("text.layer[2]", "last", 0.7),
    ]
    assert TraceText().found(scored) == ("text.layer[1] at end", tuple(scored))


def test_of_equal_places_the_earliest_layer_is_found_and_in_it_the_subjects_last_token() -> None:
    scored = [
        score("text.layer[3]", "last", 1.0),
        score("text.layer[1]", "first", 0.995),
        score("text.layer[1]", "last", 0.99),
        score("text.layer[0]", "last", 0.9),
    ]
    assert TraceText().found(scored)[0] == "text.layer[1] at last"
    assert TraceText().found(scored[:2])[0] == "text.layer[1] at first"


def test_what_may_be_chance_is_not_found() -> None:
    scored = [score("text.layer[0]", "last", 0.5, -0.1), score("text.layer[1]", "end", 0.1, 0.05)]
    assert TraceText().found(scored)[0] == ""
    assert TraceText().found([score("text.layer[0]", "last", 0.5, None)])[0] == ""
