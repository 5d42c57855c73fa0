from __future__ import annotations

import pytest

from surgery.localise.survey import survey_of
from surgery.probes.windows import selector
from surgery.report import ProbeReport, Score, SurveyReport


def report(
    concept: str, sort: str, effects: dict[str, float], method: str = "locogen"
) -> ProbeReport:
    scores = tuple(
        Score(site, 0.0, 0.0, 4, effect, column=column)
        for place, effect in effects.items()
        for site, _, column in [place.partition(" at ")]
    )
    return ProbeReport("m", method, concept, "painting", "least", scores, sort=sort)


def windows(*effects: float) -> dict[str, float]:
    return {selector(first, first + 2): effect for first, effect in enumerate(effects)}


def test_each_sort_has_the_window_with_the_largest_mean_effect() -> None:
    found = survey_of(
        [
            report("van gogh", "style", windows(0.9, 0.8, 0.1, 0.0)),
            report("monet", "style", windows(0.1, 0.9, 0.2, 0.0)),
            report("hokusai", "style", windows(0.0, 0.1, 0.2, 0.5)),
            report("star", "object", windows(0.0, 0.1, 0.9, 0.5)),
        ]
    )
    style, thing = found.sorts
    assert (style.sort, style.site, style.count) == ("style", selector(1, 3), 3)
    assert style.effect == pytest.approx(0.6)
    # Windows 0:2 and 1:3 share a layer; 3:5 is elsewhere.
    assert style.agreeing == 2
    assert (thing.site, thing.effect, thing.agreeing) == (selector(2, 4), 0.9, 1)
    assert [one.concept for one in found.reports] == ["van gogh", "monet", "hokusai", "star"]
    assert SurveyReport.from_json(found.to_json()) == found


def test_only_windows_that_all_concepts_tried_are_compared() -> None:
    found = survey_of(
        [
            report("van gogh", "style", windows(0.2, 0.8)),
            report("monet", "style", {selector(0, 2): 0.1}),
            report("star", "object", windows(0.3)),
            report("ring", "object", {selector(5, 6): 0.9}),
        ]
    )
    (style,) = found.sorts
    assert style.site == selector(0, 2)


@pytest.mark.parametrize(
    ("method", "places"),
    [
        ("trace_unet", ("ff[3]", "cross_attn[0]")),
        ("trace_text", ("text.layer[0] at last", "text.layer[0] at end")),
    ],
)
def test_places_that_are_no_windows_agree_where_they_are_the_same(
    method: str, places: tuple[str, str]
) -> None:
    one, other = places
    found = survey_of(
        [
            report("van gogh", "style", {one: 0.9, other: 0.1}, method),
            report("monet", "style", {one: 0.8, other: 0.2}, method),
            report("hokusai", "style", {one: 0.0, other: 0.4}, method),
        ]
    )
    (style,) = found.sorts
    assert (style.site, style.agreeing, style.count) == (one, 2, 3)
    assert style.effect == pytest.approx(1.7 / 3)
