"""Scores against numbers worked out by hand."""

from __future__ import annotations

import pytest

from surgery.localise.journal import Measurement
from surgery.localise.scoring import Anchored, by_arm, score_of
from surgery.probes.base import Arm, Substitute
from surgery.report import Score, Share

ARM = Arm("cross_attn.{k,v}[0:1]", Substitute(0, 1))


def measured(*scores: float, shown: bool | None = None) -> tuple[Measurement, ...]:
    return tuple(Measurement(score, shown) for score in scores)


def scored(own: tuple[Measurement | None, ...], ends: Anchored, *shape: int) -> Score:
    return score_of(ARM, own, ends, (*shape, *[1] * (3 - len(shape))))  # type: ignore[arg-type]


def test_the_effect_is_a_ratio_of_means_and_not_a_mean_of_ratios() -> None:
    ends = Anchored(measured(1.0, 0.2), measured(0.0, 0.1))
    found = scored(measured(0.5, 0.2), ends, 2)
    # ((1 - .5) + (.2 - .2)) / ((1 - 0) + (.2 - .1)); single ratios are 0.5 and 0.
    assert found.effect == pytest.approx(0.5 / 1.1)
    assert found.mean == pytest.approx(0.35)
    assert found.std == pytest.approx(0.3 / 2**0.5)
    assert found.count == 2


def test_the_anchors_themselves_have_effects_of_nothing_and_all() -> None:
    ends = Anchored(measured(0.9, 0.7, 0.8), measured(0.1, 0.3, 0.0))
    source, target = scored(ends.source, ends, 3), scored(ends.target, ends, 3)
    assert (source.effect, source.low, source.high) == (0, 0, 0)
    assert [target.effect, target.low, target.high] == pytest.approx([1, 1, 1])


def test_a_place_may_go_further_than_all_or_the_other_way() -> None:
    ends = Anchored(measured(0.8), measured(0.4))
    assert scored(measured(0.2), ends, 1).effect == pytest.approx(1.5)
    assert scored(measured(1.0), ends, 1).effect == pytest.approx(-0.5)


def test_scores_that_rise_towards_the_target_count_the_same_way() -> None:
    ends = Anchored(measured(0.1, 0.1), measured(0.9, 0.9))
    assert scored(measured(0.7, 0.7), ends, 2).effect == pytest.approx(0.75)


def test_the_interval_of_what_never_varies_is_a_point() -> None:
    ends = Anchored(measured(*[1.0] * 6), measured(*[0.0] * 6))
    found = scored(measured(*[0.25] * 6), ends, 3, 2)
    assert [found.low, found.high] == pytest.approx([0.75, 0.75])
    assert found.std == 0


def test_the_interval_holds_the_effect_and_narrows_with_more_prompts() -> None:
    def width(count: int) -> float:
        ends = Anchored(measured(*[1.0] * count), measured(*[0.0] * count))
        found = scored(measured(*([0.2, 0.6] * (count // 2))), ends, count)
        assert found.low is not None and found.high is not None
        assert found.low < found.effect < found.high
        return found.high - found.low

    assert width(16) < width(4)


def test_a_run_that_is_made_once_has_no_interval() -> None:
    found = scored(measured(0.5), Anchored(measured(1.0), measured(0.0)), 1)
    assert (found.low, found.high, found.std, found.count) == (None, None, 0.0, 1)


def test_only_the_cases_that_have_the_place_count_also_for_the_anchors() -> None:
    ends = Anchored(measured(1.0, 0.5, 1.0), measured(0.0, 0.5, 0.0))
    found = scored((Measurement(0.4), None, Measurement(0.8)), ends, 3)
    assert found.count == 2
    assert found.mean == pytest.approx(0.6)
    assert found.effect == pytest.approx(0.4)
    one = scored((None, Measurement(0.5), None), Anchored(ends.source, measured(0, 0, 0)), 3)
    assert (one.count, one.low, one.high, one.std) == (1, None, None, 0.0)
    assert one.effect == 0


def test_where_the_anchors_are_the_same_there_is_no_effect() -> None:
    found = scored(measured(0.3, 0.9), Anchored(measured(0.5, 0.5), measured(0.5, 0.5)), 2)
    assert (found.effect, found.low, found.high) == (0, 0, 0)


def test_what_a_judge_sees_is_counted_where_it_says_yes_or_no() -> None:
    ends = Anchored(measured(1, 1, 1, 1), measured(0, 0, 0, 0))
    own = (Measurement(0.1, False), Measurement(0.9, True), None, Measurement(0.2, False))
    assert scored(own, ends, 2, 2).shown == Share.of(1 / 3, 3)
    assert scored(measured(0, 0, 0, 0), ends, 2, 2).shown is None


def test_the_same_measurements_give_the_same_score() -> None:
    ends = Anchored(measured(1.0, 0.9, 1.0, 0.8), measured(0.0, 0.1, 0.2, 0.0))
    own = measured(0.1, 0.7, 0.3, 0.9)
    assert scored(own, ends, 2, 2) == scored(own, ends, 2, 2)


def test_places_that_no_case_has_are_left_out() -> None:
    other = Arm("text.mlp[0]", Substitute(0, 1), "middle")
    ends = Anchored(measured(1.0), measured(0.0))
    found = by_arm([ARM, other], {ARM: measured(0.5), other: (None,)}, ends, (1, 1, 1))
    assert [one.site for one in found] == [ARM.site]
    (named,) = by_arm([other], {other: measured(0.5)}, ends, (1, 1, 1))
    assert (named.site, named.column) == ("text.mlp[0]", "middle")
