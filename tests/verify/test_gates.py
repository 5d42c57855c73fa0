"""Gates are decided on the bad end, and say by how much they were missed."""

from __future__ import annotations

import pytest

from surgery.recipe_expect import Expect
from surgery.report import Gate
from surgery.report.verify import Attack, Figure, Row
from surgery.verify.gates import DEFAULTS, LEAST, NAMES, Evidence, gates
from tests.verify.build import figures, marked, shown


def decided(limits: dict[str, float], *sets: list[Row]) -> list[Gate]:
    evidence = Evidence([figures(one) for one in sets], [row for one in sets for row in one])
    return list(gates(limits, evidence))


def test_the_upper_end_of_what_should_be_gone_decides() -> None:
    # 1 of 48 is 2 %, and no more than 11 %.
    (gate,) = decided({"erased": 0.1}, shown("erased", "gogh", 48, 1, 48))
    assert (gate.name, gate.limit, gate.passed) == ("erased: gogh", "at most 10.0%", False)
    assert gate.missed_by == pytest.approx(Figure.share(1 / 48, 48).high - 0.1)
    (gate,) = decided({"erased": 0.1}, shown("erased", "gogh", 96, 1, 96))
    assert (gate.passed, gate.missed_by, gate.note) == (True, 0.0, "")


def test_the_lower_end_of_what_should_stay_decides() -> None:
    (gate,) = decided({"kept": 0.9}, shown("kept", "monet", 48, 46, 48))
    assert not gate.passed
    assert gate.missed_by == pytest.approx(0.9 - Figure.share(46 / 48, 48).low)
    (gate,) = decided({"kept": 0.9}, shown("kept", "monet", 100, 98, 100))
    assert gate.passed


def test_a_gate_on_too_few_pictures_is_decided_on_the_share_and_says_so() -> None:
    (gate,) = decided({"erased": 0.1}, shown("erased", "gogh", 4, 0, 4))
    assert gate.passed
    assert gate.note == "4 pictures are too few to be sure, 35 are enough: the share decides"
    (gate,) = decided({"erased": 0.1}, shown("erased", "gogh", 4, 1, 4))
    assert (gate.passed, gate.missed_by) == (False, pytest.approx(0.15))


def test_every_erased_concept_has_a_gate_of_its_own() -> None:
    found = decided(
        {"erased": 0.1}, shown("erased", "gogh", 40, 0, 40), shown("erased", "escher", 40, 40, 40)
    )
    assert [(gate.name, gate.passed) for gate in found] == [
        ("erased: gogh", True),
        ("erased: escher", False),
    ]


def test_kept_concepts_are_judged_together_and_the_worst_of_them_alone() -> None:
    sets = [shown("kept", f"artist {number}", 20, 20, 20) for number in range(12)]
    found = decided({"kept": 0.9, "kept_each": 0.5}, *sets, shown("kept", "monet", 20, 4, 20))
    assert [(gate.name, gate.passed) for gate in found] == [
        ("kept", True),
        ("kept_each: monet", False),
    ]


def test_pictures_that_never_showed_a_kept_concept_are_no_loss() -> None:
    (gate,) = decided({"kept": 0.9}, shown("kept", "monet", 40, 40, 80))
    assert gate.passed
    assert "of 40" in gate.found


def test_means_have_no_percent_and_no_note() -> None:
    near = marked("kept", "monet", distance=[0.01, 0.02, 0.03], clip_before=[30.0, 31.0, 32.0],
                  clip_after=[29.0, 30.0, 31.0])  # fmt: skip
    far, drop = decided({"distance": 0.05, "clip_drop": 0.5}, near)
    assert (far.passed, far.limit, far.note) == (True, "at most 0.05", "")
    assert (drop.passed, drop.missed_by) == (False, pytest.approx(0.5))


def test_an_attack_that_brings_it_back_is_a_miss() -> None:
    sure = Figure.share(0.9, 40)
    attack = Attack("rece", "gogh", "tried", Figure.share(0.0, 40), sure)
    (gate,) = gates({"attacks": 0.1}, Evidence((), (), (attack,)))
    assert (gate.name, gate.passed) == ("attacks: rece on gogh", False)
    assert gate.missed_by == pytest.approx(sure.high - 0.1)


def test_a_limit_that_nothing_answers_is_no_gate() -> None:
    assert decided(dict(DEFAULTS), marked("kept", "monet", distance=[0.1])) == []


def test_recipes_know_the_same_gates() -> None:
    said = {name: {"min": 0.5} if name in LEAST else {"max": 0.5} for name in NAMES}
    assert Expect.model_validate(said).pictures() == dict.fromkeys(NAMES, 0.5)
    assert set(DEFAULTS) <= set(NAMES)
