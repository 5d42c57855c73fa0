"""A glance at every window, then the best few in full: what is joined, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import pytest

from surgery.judges import Judge, Mark, Seen
from surgery.judges.noise import NoiseJudge
from surgery.localise.journal import Journal
from surgery.localise.quick import UNCHECKED, run_quick
from surgery.localise.run import Means
from surgery.localise.study import Study
from surgery.probes.locogen import LocoGen
from surgery.probes.quick import Quick
from surgery.probes.windows import width
from surgery.questions import Question
from surgery.report import ProbeReport, Score
from tests.helpers.probing import farthest, hooked, model, probed, study

NEVER, ALWAYS = 99.0, -99.0
FEW = Quick(window=3, stride=4, threshold=ALWAYS)
PLACES = 5
"""Windows of three of 16 layers, every four."""
ANCHORS = 2
KEPT = Journal()
"""Glances are looked at once, whatever is then made of them."""


@dataclass(frozen=True, slots=True)
class Mean:
    """Says that the concept is shown where latents are above 0 on the whole."""

    name: str = "mean"
    sees: str = "latents"
    anchored: bool = False

    def best(self, sort: str) -> str:
        return "least"

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        return [Mark(one, one > 0) for one in seen.latents.mean((1, 2, 3)).tolist()]


def asked(prompts: int = 2, seeds: int = 2) -> Study:
    return study(prompts=prompts, seeds=seeds, guidance=1.0)


def quick(
    family: str,
    probe: Quick,
    count: int,
    threshold: float,
    *,
    about: Study | None = None,
    judge: Judge | None = None,
    journal: Journal | None = None,
) -> ProbeReport:
    means = Means(model(family), judge or Mean(), "here", journal or KEPT)  # type: ignore[arg-type]
    return run_quick(means, probe, about or asked(), count, threshold)


@cache
def checked(threshold: float = ALWAYS) -> ProbeReport:
    return quick("sd1", FEW, 3, threshold, journal=Journal())


@cache
def glance() -> ProbeReport:
    return quick("sd1", FEW, 0, ALWAYS)


def best_first(scores: tuple[Score, ...]) -> list[Score]:
    return sorted(scores, key=lambda one: -one.effect)


def evaluations(report: ProbeReport) -> int:
    assert report.cost is not None
    return report.cost.evaluations


def test_without_a_check_it_is_a_glance_that_says_so() -> None:
    report, expected = glance(), probed(model("sd1"), FEW, asked(), journal=KEPT)
    assert report.notes == (UNCHECKED, *expected.notes)
    assert report.checked == ()
    assert report.judge == NoiseJudge.name
    assert farthest(report, expected) == 0
    assert {one.shown for one in report.scores} == {None}
    assert report.found == best_first(report.scores)[0].site


def test_the_three_best_windows_of_a_glance_are_run_in_full() -> None:
    ranked = [one.site for one in best_first(glance().scores)]
    assert [one.site for one in checked().checked] == ranked[:3]


def test_effects_are_foretold_and_what_is_shown_is_told_where_it_was_seen() -> None:
    report = checked()
    full = {one.site: one.shown for one in report.checked}
    assert None not in full.values()
    assert {one.site: one.shown for one in report.scores if one.shown} == full
    assert [replace(one, shown=None) for one in report.scores] == list(glance().scores)
    assert report.smaller == ()
    assert UNCHECKED not in report.notes


def test_what_is_found_is_the_best_of_those_that_were_run_in_full() -> None:
    report = checked()
    assert report.found == best_first(report.checked)[0].site
    assert report.anchors[0].shown is not None
    assert report.judge == "noise at a glance, mean in full"


def test_where_none_suffices_in_full_nothing_is_found_whatever_was_foretold() -> None:
    report = checked(NEVER)
    assert report.found == ""
    assert glance().found
    assert report.checked == checked().checked
    assert report.scores == checked().scores


def test_in_full_a_window_is_run_with_few_prompts_and_one_seed() -> None:
    report = checked()
    assert {one.count for one in report.scores} == {4}
    assert {one.count for one in report.checked} == {2}
    assert report.settings["prompts run in full"] == 2
    assert report.settings["prompts"] == 2


def test_costs_of_both_parts_are_summed() -> None:
    before = model("sd1").evaluations
    report = quick("sd1", FEW, 3, ALWAYS, journal=Journal())
    glances = 4 * (ANCHORS + PLACES) * 2
    in_full = 2 * (ANCHORS + 3) * asked().sampling.steps
    assert evaluations(report) == model("sd1").evaluations - before == glances + in_full
    assert not hooked(model("sd1"))


def test_of_what_a_journal_kept_nothing_is_run_again() -> None:
    journal = Journal()
    first, again = (
        quick("sd1", FEW, 1, ALWAYS, about=asked(1, 1), journal=journal, judge=NoiseJudge())
        for _ in range(2)
    )
    assert farthest(first, again) == 0
    assert first.checked == again.checked
    assert again.cost is not None
    assert again.cost.kept == (ANCHORS + PLACES) + (ANCHORS + 1)
    # A judge of two anchors needs their latents, and only where something is still to be judged.
    assert evaluations(again) == 0


def open_quick(count: int, enough: float, at_a_glance: float) -> ProbeReport:
    """Ten layers, of which nothing says how many make a window."""
    return quick("if", Quick(threshold=at_a_glance), count, enough, about=asked(1, 1))


def test_where_the_size_is_open_the_best_of_every_size_is_run_until_one_suffices() -> None:
    report = open_quick(1, NEVER, NEVER)
    every = [*report.scores, *report.smaller]
    assert len(every) == 10 + 9 + 8 + 7 + 6
    assert [width(one.site) for one in report.checked] == [1, 2, 3, 4, 5]
    for one in report.checked:
        same = [other for other in every if width(other.site) == width(one.site)]
        assert one.site == max(same, key=lambda other: other.effect).site
    assert {width(one.site) for one in report.scores} == {5}
    assert report.found == ""


def test_it_stops_at_the_size_that_suffices_and_tells_the_windows_of_it() -> None:
    full = open_quick(1, NEVER, NEVER).checked
    enough = max(one.effect for one in full[:3])
    first = next(one for one in full if one.effect >= enough)
    report = open_quick(1, enough, NEVER)
    assert report.found == first.site
    assert report.checked == full[: width(first.site)]
    assert {width(one.site) for one in report.scores} == {width(first.site)}
    assert {width(one.site) for one in report.smaller} == {1, 2, 3, 4, 5} - {width(first.site)}


def test_sizes_below_the_one_that_sufficed_at_a_glance_are_not_run() -> None:
    unbounded = open_quick(0, ALWAYS, NEVER)
    top = {size: [] for size in range(1, 6)}
    for one in (*unbounded.scores, *unbounded.smaller):
        top[width(one.site)].append(one.effect)
    best = {size: max(effects) for size, effects in top.items()}
    size = next(size for size in range(2, 6) if best[size] > max(best[n] for n in range(1, size)))
    report = open_quick(1, NEVER, best[size])
    assert [width(one.site) for one in report.checked] == list(range(size, 6))


def test_at_most_four_prompts_are_run_in_full() -> None:
    pairs = asked().question.pairs
    many = replace(
        asked(seeds=1),
        question=replace(asked().question, pairs=tuple(pairs[n % 2] for n in range(6))),
    )
    report = quick("sd1", FEW, 1, ALWAYS, about=many)
    assert report.settings["prompts"] == 6
    assert report.settings["prompts run in full"] == 4
    assert {one.count for one in report.checked} == {4}


@pytest.mark.parametrize("count", [5, 50])
def test_a_check_of_all_windows_is_locogen(count: int) -> None:
    about = asked(1, 1)
    report = quick("sd1", FEW, count, ALWAYS, about=about, judge=NoiseJudge())
    exact = probed(model("sd1"), LocoGen(3, 4), about, journal=KEPT)
    assert sorted(report.checked, key=lambda one: one.site) == sorted(
        exact.scores, key=lambda one: one.site
    )
    assert report.anchors == exact.anchors
