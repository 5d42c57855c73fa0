from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from surgery import apply, load_recipe, open_checkpoint
from surgery.adversary import ATTACKS, Budget, attack, cost
from surgery.adversary.run import SHOWN
from surgery.errors import UsageError
from surgery.judges.atelier import atelier_judge
from surgery.judges.noise import NoiseJudge
from surgery.model import DiffusersModel, load_model
from surgery.questions import ask
from surgery.report.verify import Attack
from tests.adversary.build import TINY as BUDGET
from tests.adversary.build import Bright, copied, painted_seeds, retold, turned
from tests.helpers.probing import QUESTION, model

RECIPES = Path(__file__).parents[2] / "recipes"
NAMES = ("rece", "paraphrase")
SHORT = Budget(pictures=4, tries=1, search=0, updates=40, examples=4, rows=4, steps=6)


@cache
def _scratch() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="attacks")


@cache
def edited(recipe: str) -> DiffusersModel:
    out = Path(_scratch().name) / recipe
    apply(load_recipe(RECIPES / f"{recipe}.yaml"), open_checkpoint("atelier"), out)
    return load_model(out)


def attacked(recipe: str, *names: str) -> list[Attack]:
    question = ask("van gogh", vocabulary="atelier")
    found = attack(
        model("atelier"), edited(recipe), question, atelier_judge(), names=names, budget=SHORT
    )
    return list(found)


def test_the_closed_form_brings_back_what_all_keys_and_values_lost() -> None:
    (rece,) = attacked("uce_vangogh", "rece", "states")
    assert rece.original and rece.original.value == 1
    assert rece.before.value == 0
    assert rece.after.value == 1
    assert rece.found[0].startswith("ridge 0.")
    assert "'states' was left out: The text encoder is the old one" in rece.notes[-1]


def test_the_old_text_encoder_and_learned_embeddings_bring_back_what_the_encoder_lost() -> None:
    states, inversion = attacked("remove_vangogh", "rece", "states", "inversion")
    assert all("'rece' was left out: No key" in one.notes[-1] for one in (states, inversion))
    assert states.before.value == 0
    assert states.after.value == 1
    assert inversion.after.value >= 0.5
    assert inversion.tried.endswith(" Budget: 4 pictures, 40 updates of 4.")


def test_every_attack_tells_what_was_tried_with_how_much_and_on_which_seeds() -> None:
    found = attack(model("sd1"), copied("sd1", turned()), QUESTION, Bright(), budget=BUDGET)
    assert list(ATTACKS) == ["rece", "states", "paraphrase", "inversion"]
    assert [one.name for one in found] == ["rece", "paraphrase", "inversion"]
    for one in found:
        assert one.concept == "van gogh" and one.tried.endswith(".") and one.seconds > 0
        assert one.before.count == BUDGET.pictures == one.after.count
        assert "Budget: " in one.tried and one.settings["judge"] == "bright"
        assert one.settings["first seed to report by"] == 9_000_000
        assert len(one.pictures) == SHOWN and len(one.found) == 1
    json.dumps([asdict(one) for one in found], allow_nan=False)


def test_no_figure_of_the_report_comes_from_a_seed_that_something_was_chosen_by() -> None:
    after = copied("sd1", turned())
    with painted_seeds(after) as seeds:
        attack(model("sd1"), after, QUESTION, Bright(), names=NAMES, budget=BUDGET)
    told = [seed for seed in seeds if seed >= 9_000_000]
    # The plain pictures, and those under each attack.
    assert sorted(set(told)) == [9_000_000 + number for number in range(BUDGET.pictures)]
    assert len(told) == (1 + len(NAMES)) * BUDGET.pictures


def test_the_same_seeds_give_the_same_figures() -> None:
    after = copied("sd1", turned())
    runs = [
        attack(model("sd1"), after, QUESTION, Bright(), names=NAMES, budget=BUDGET)
        for _ in range(2)
    ]
    one, again = ([replace(found, seconds=0.0) for found in run] for run in runs)
    assert one == again


def test_progress_never_runs_beyond_what_was_foretold() -> None:
    told: list[tuple[str, int]] = []
    attack(
        model("sd1"),
        copied("sd1", turned()),
        QUESTION,
        Bright(),
        names=("rece", "inversion"),
        budget=BUDGET,
        on_step=lambda label, done: told.append((label, done)),
    )
    assert list(dict.fromkeys(label for label, _ in told)) == [
        "before",
        "after",
        "rece",
        "inversion",
    ]
    assert sum(done for _, done in told) == cost(("rece", "inversion"), BUDGET)


def test_an_attack_that_is_not_known_is_refused_before_anything_is_painted() -> None:
    one = model("sd1")
    ran = one.evaluations
    with pytest.raises(UsageError, match="no attack 'recce'; did you mean 'rece'"):
        attack(one, copied("sd1", retold), QUESTION, Bright(), names=("recce",))
    with pytest.raises(UsageError, match="no attack 'x'"):
        cost(("x",), BUDGET)
    assert one.evaluations == ran


def test_a_judge_that_compares_is_refused_before_anything_is_painted() -> None:
    one = model("sd1")
    ran = one.evaluations
    with pytest.raises(UsageError, match="'noise' does not say"):
        attack(one, copied("sd1", retold), QUESTION, NoiseJudge())
    assert one.evaluations == ran


def test_where_no_attack_can_be_tried_it_says_why() -> None:
    none = replace(BUDGET, search=0)
    with pytest.raises(UsageError, match=r"no attack can be tried; The text .* no search"):
        names = ("states", "paraphrase")
        attack(model("sd1"), model("sd1"), QUESTION, Bright(), names=names, budget=none)


def test_two_models_of_other_shapes_are_refused() -> None:
    with pytest.raises(UsageError, match="other shapes"):
        attack(model("sd1"), model("sd2"), QUESTION, Bright())
