from __future__ import annotations

import pytest

from surgery.errors import UsageError
from surgery.layout import Layout, detect
from surgery.localise.chosen import chosen_probe, chosen_questions, completed, enough, study_of
from surgery.localise.study import NOISES
from surgery.localise.wish import Wish
from surgery.probes.locogen import LocoGen
from surgery.probes.trace_unet import TraceUnet
from surgery.store.checkpoint import open_checkpoint


@pytest.fixture(scope="module")
def layout() -> Layout:
    return detect(open_checkpoint("atelier"))


def test_a_probe_takes_the_settings_that_are_its_own(layout: Layout) -> None:
    wish = Wish("monet", method="locogen", window=4, stride=2, threshold=0.5)
    assert chosen_probe(wish, layout) == LocoGen(4, 2, 0.5)
    assert chosen_probe(Wish("monet", method="locogen"), layout) == LocoGen()
    assert chosen_probe(Wish("monet", method="trace_unet", window=4), layout) == TraceUnet()


def test_concepts_side_by_side_have_windows_of_one_size(layout: Layout) -> None:
    assert chosen_probe(Wish(method="locogen"), layout) == LocoGen(window=3, threshold=0.5)
    given = chosen_probe(Wish(method="locogen", window=2), layout)
    assert given == LocoGen(window=2, threshold=0.5)


def test_a_window_of_given_size_is_the_place_from_half_the_effect_on(layout: Layout) -> None:
    assert enough(Wish("monet", window=2), layout, "atelier") == 0.5
    assert enough(Wish("monet", window=2, threshold=0.7), layout, "atelier") == 0.7


def test_a_window_of_open_size_grows_until_little_is_left(layout: Layout) -> None:
    assert enough(Wish("monet"), layout, "atelier 0a1e") == 0.9
    assert enough(Wish("monet"), layout, "noise") == 0.8


def test_a_probe_that_there_is_not_is_one_sentence(layout: Layout) -> None:
    with pytest.raises(UsageError, match=r"there is no probe .locogan.*.locogen."):
        chosen_probe(Wish("monet", method="locogan"), layout)


@pytest.mark.parametrize(
    "name", ["prompts", "seeds", "draws", "steps", "window", "stride", "batch", "per_sort"]
)
def test_counts_are_one_or_more(name: str) -> None:
    assert getattr(Wish(**{name: 1}), name) == 1
    with pytest.raises(UsageError, match=f"{name} must be 1 or more, got 0"):
        Wish(**{name: 0})


def test_a_concept_is_asked_about_in_as_many_prompts_as_wished() -> None:
    (one,) = chosen_questions(Wish("van gogh", prompts=3), "atelier")
    assert (one.concept, one.sort, len(one.pairs)) == ("van gogh", "style", 3)
    own = Wish("greg", "art", "style", own_prompts=("a tree by {}", "a house by {}"))
    (one,) = chosen_questions(own, "world")
    assert [pair.source for pair in one.pairs] == ["a tree by greg", "a house by greg"]


def test_without_a_concept_a_few_of_each_sort_are_asked_about() -> None:
    asked = chosen_questions(Wish(per_sort=2, prompts=1), "world")
    assert [one.sort for one in asked] == ["style"] * 2 + ["object"] * 2 + ["fact"] * 2
    assert {len(one.pairs) for one in asked} == {1}
    styles = chosen_questions(Wish(sort="style", per_sort=100), "atelier")
    assert len(styles) > 2
    assert {one.sort for one in styles} == {"style"}


def test_a_concept_that_nothing_is_known_of_needs_its_sort() -> None:
    with pytest.raises(UsageError, match="is 'zdzislaw' a style, an object or a fact"):
        chosen_questions(Wish("zdzislaw"), "world")


def test_what_is_left_open_is_what_is_usual_for_the_model_and_the_probe() -> None:
    usual = completed(Wish("van gogh", method="locogen"), "atelier", "cpu")
    assert (usual.steps, usual.guidance, usual.prompts, usual.seeds) == (20, 3.0, 8, 2)
    world = completed(Wish("van gogh", method="locogen"), "world", "cpu")
    assert (world.steps, world.guidance) == (50, 7.5)
    slow, fast = (completed(Wish("van gogh"), "world", device) for device in ("cpu", "cuda"))
    assert slow.prompts and fast.prompts and slow.prompts < fast.prompts
    assert (slow.check, fast.check) == (0, 3)


def test_what_was_wished_is_kept() -> None:
    counts = {"prompts": 3, "seeds": 4, "check": 0, "steps": 5, "per_sort": 2}
    wish = Wish("x", **counts, guidance=0.0, method="quick")
    assert completed(wish, "atelier", "cuda") == wish


def test_a_study_is_over_what_was_wished() -> None:
    (question,) = chosen_questions(Wish("van gogh", prompts=2), "atelier")
    wish = Wish("van gogh", seeds=3, first_seed=7, draws=2, steps=4, guidance=0.0, noise=2.5)
    own = study_of(wish, question)
    assert (own.sampling.steps, own.sampling.guidance, own.noises) == (4, 0.0, (2.5,))
    assert own.seeds == (7, 8, 9)
    assert (own.shape(corrupts=True), own.shape(corrupts=False)) == ((2, 3, 2), (2, 3, 1))
    usual = study_of(completed(Wish("van gogh"), "atelier", "cpu"), question)
    assert usual.noises == NOISES == tuple(sorted(NOISES))


def test_cases_are_crossed_with_the_draws_fastest() -> None:
    (question,) = chosen_questions(Wish("van gogh", prompts=2), "atelier")
    study = study_of(completed(Wish("van gogh", seeds=2, draws=2), "atelier", "cpu"), question)
    cases = study.cases(corrupts=True)
    assert [(question.pairs.index(one.pair), one.seed, one.draw) for one in cases] == [
        (pair, seed, draw) for pair in (0, 1) for seed in (0, 1) for draw in (0, 1)
    ]
    assert {one.draw for one in study.cases(corrupts=False)} == {0}
    assert len(study.cases(corrupts=False)) == 4


@pytest.mark.parametrize("name", ["guidance", "noise", "threshold"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_figures_are_numbers(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{name} must be a number"):
        Wish(**{name: value})


def test_seeds_are_those_that_a_generator_takes() -> None:
    assert Wish(first_seed=2**62).first_seed == 2**62
    for first in (-1, 2**63 - 1):
        with pytest.raises(UsageError, match="seeds go from 0"):
            Wish(first_seed=first)
