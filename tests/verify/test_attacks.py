from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from surgery import apply, load_recipe, open_checkpoint
from surgery.adversary import APART, Budget
from surgery.judges import Mark, Seen
from surgery.questions import Pair, ask
from surgery.report.verify import JudgeFacts
from surgery.verify.attacks import ReaderJudge, _models, _seeds, attacks, most
from surgery.verify.bench import bench
from surgery.verify.painting import forget
from surgery.verify.plan import plan
from surgery.verify.readers.base import Reading
from surgery.verify.values import PromptSet
from surgery.verify.wish import Wish

RECIPES = Path(__file__).parents[2] / "recipes"
PAIR = Pair("a red ball by van gogh", "a painting of a red ball", "van gogh")


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("edited") / "uce"
    apply(load_recipe(RECIPES / "uce_vangogh.yaml"), open_checkpoint("atelier"), out)
    return out


@contextmanager
def budget(given: Budget) -> Iterator[None]:
    """Another budget than the model allows, in a block."""
    import surgery.adversary as package

    own = package.budget_for
    package.budget_for = lambda model: given
    forget()
    try:
        yield
    finally:
        package.budget_for = own
        forget()


def test_every_erased_concept_is_attacked_by_the_sampling_and_seeds_of_the_report(
    edited: Path,
) -> None:
    made = plan("atelier", edited, Wish(steps=6, pictures=2))
    with budget(Budget(pictures=3, tries=1, search=0, updates=0)):
        told: list[int] = []
        found = attacks(made, bench(made), lambda label, done: told.append(done))
        assert sum(told) == sum(one.evaluations for one in _models(made))
        assert 3 * 2 * 6 * 2 < sum(told) <= most(made)
    (rece,) = found
    assert (rece.name, rece.concept) == ("rece", "van gogh")
    assert rece.before.count == 2 and rece.before.value == 0
    assert rece.after.value == 1
    assert rece.settings["steps"] == 6
    assert rece.settings["first seed to report by"] == made.wish.first_seed
    assert str(rece.settings["judge"]).startswith("atelier")
    assert "no search" in rece.notes[-2] and "no updates" in rece.notes[-1]


@dataclass(frozen=True)
class Reads:
    """Says what it was made to say, and keeps what it was asked."""

    reading: Reading
    facts = JudgeFacts("clip", "some/model", "abc", "concept")

    def check(self, asked: PromptSet) -> None:
        pass

    def read(self, asked, asks, pictures) -> list[Reading]:
        assert asked.concept == "van gogh"
        assert [one.prompt for one in asks] == [PAIR.source] * len(pictures)
        return [self.reading] * len(pictures)


@pytest.mark.parametrize(
    ("reading", "mark"),
    [
        (Reading(0.7, True), Mark(0.7, True)),
        (Reading(None, True), Mark(1.0, True)),
        (Reading(None, False), Mark(0.0, False)),
        (Reading(0.7, None), Mark(0.7, None)),
    ],
)
def test_a_reader_judges_each_picture(reading: Reading, mark: Mark) -> None:
    judge = ReaderJudge(Reads(reading), PromptSet("erased", "van gogh", "style", ()))
    seen = Seen(torch.zeros(2, 4, 8, 8), [PAIR] * 2, torch.zeros(2, 3, 8, 8))
    assert judge.marks(ask("van gogh", vocabulary="atelier"), seen) == [mark] * 2
    assert judge.name == "clip some/model abc"
    assert (judge.sees, judge.anchored, judge.best("style")) == ("pictures", False, "least")


@pytest.mark.parametrize("report", [9_000_000, 5_000_000, 5_050_000, 3_000_000, 0])
def test_attacks_are_chosen_apart_from_any_seeds_of_the_report(report: int) -> None:
    found = _seeds(report)
    assert found.report == report
    assert abs(found.choose - report) >= APART


def test_what_a_user_says_a_concept_is_called_is_searched_too(edited: Path) -> None:
    told: dict[str, object] = {}

    def watched(*given: object, **settings: object) -> tuple[()]:
        told.update(settings)
        return ()

    import surgery.adversary as package

    own = package.attack
    package.attack = watched  # type: ignore[assignment]
    try:
        made = plan("atelier", edited, Wish(synonyms={"van gogh": ("the red beard",)}))
        assert attacks(made, bench(made)) == ()
        assert told["others"] == ("the red beard",)
        attacks(replace(made, wish=replace(made.wish, synonyms={})), bench(made))
        assert "vincent" in told["others"]  # type: ignore[operator]
    finally:
        package.attack = own
        forget()
