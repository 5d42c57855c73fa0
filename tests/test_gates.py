from __future__ import annotations

import pytest

from surgery.gates import gates
from surgery.recipe import Expect, Limit
from surgery.report import Drift, Leak, Spread

LOW, HIGH = Spread(0.0, 0.1, 0.15, 0.2, 3), Spread(0.1, 0.4, 0.7, 0.8, 3)
LEAKS = [Leak(0, "a", "b", "prompts", LOW), Leak(0, "a", "b", "misspellings", HIGH)]
DRIFTS = [Drift(0, "preserved", 2, LOW, ()), Drift(0, "neutral", 9, HIGH, ())]


@pytest.mark.parametrize(
    ("expect", "passed"),
    [
        (Expect(), []),
        (Expect(leak=Limit(max=0.2)), [True]),
        (Expect(leak=Limit(max=0.19)), [False]),
        (Expect(wordings=Limit(max=0.2)), [False]),
        (Expect(wordings=Limit(median=0.4)), [True]),
        (Expect(wordings=Limit(p95=0.69, median=0.4)), [False, True]),
        (Expect(drift=Limit(max=0.2)), [True]),
        (Expect(neutral=Limit(p95=0.7)), [True]),
        (Expect(leak=Limit(max=1), neutral=Limit(max=0.1)), [True, False]),
    ],
)
def test_each_limit_holds_for_its_own_rows_and_measure(expect: Expect, passed: list[bool]) -> None:
    assert [gate.passed for gate in gates(expect, LEAKS, DRIFTS)] == passed


def test_the_worst_of_several_concepts_decides() -> None:
    worse = [*LEAKS, Leak(0, "c", "b", "prompts", HIGH)]
    (gate,) = gates(Expect(leak=Limit(max=0.5)), worse, [])
    assert (gate.name, gate.found, gate.passed) == ("leak", "0.8", False)


def test_a_measure_other_than_the_largest_is_named() -> None:
    (gate,) = gates(Expect(neutral=Limit(p95=0.5)), [], DRIFTS)
    assert (gate.name, gate.limit) == ("neutral p95", "at most 0.5")


def test_embeddings_of_no_words_are_no_wording() -> None:
    (gate,) = gates(Expect(wordings=Limit(max=0.5)), [Leak(0, "a", "b", "worst case", HIGH)], [])
    assert gate.passed


def test_gates_of_an_identity_pass() -> None:
    assert all(gate.passed for gate in gates(Expect(leak=Limit(max=0)), [], []))
