from __future__ import annotations

import pytest

from surgery.report.verify import Figure, Row, Summary
from surgery.verify.summary import harmonic, summary
from tests.verify.build import shown

SORTS = {
    ("erased", "gogh"): "style",
    ("paraphrase", "gogh"): "style",
    ("kept", "monet"): "style",
    ("unrelated", "ball"): "object",
}


def of(rows: list[Row]) -> Summary:
    return summary(rows, SORTS)  # type: ignore[arg-type]


ERASED = shown("erased", "gogh", 10, 1, 10)
KEPT = shown("kept", "monet", 10, 9, 10)
BESIDE = shown("unrelated", "ball", 10, 8, 10)
REWORDED = shown("paraphrase", "gogh", 10, 2, 10)


def value(found: Figure | None) -> float:
    assert found is not None
    return found.value


def test_retain_accuracy_is_split_by_the_sort_of_what_is_erased() -> None:
    found = of([*ERASED, *KEPT, *BESIDE])
    assert value(found.ua) == pytest.approx(0.9)
    assert value(found.ira) == pytest.approx(0.9)
    assert value(found.cra) == pytest.approx(0.8)


def test_means_are_those_of_the_three() -> None:
    found = of([*ERASED, *KEPT, *BESIDE])
    assert value(found.mean) == pytest.approx(2.6 / 3)
    assert value(found.harmonic) == pytest.approx(3 / (2 / 0.9 + 1 / 0.8))


def test_mace_takes_other_wordings_and_all_that_is_kept() -> None:
    found = of([*ERASED, *KEPT, *BESIDE, *REWORDED])
    assert value(found.general) == pytest.approx(0.8)
    assert value(found.mace) == pytest.approx(3 / (1 / 0.9 + 1 / 0.8 + 1 / 0.85))


def test_what_no_set_gives_is_not_known() -> None:
    found = of(list(ERASED))
    assert (found.ira, found.cra, found.mean, found.harmonic, found.mace) == (None,) * 5


def test_a_harmonic_mean_of_nothing_is_nothing() -> None:
    found = harmonic(Figure.share(0.0, 10), Figure.share(1.0, 10))
    assert found is not None
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high > 0


def test_the_interval_of_unlearning_is_turned_round() -> None:
    found, shown_after = of(list(ERASED)).ua, Figure.share(0.1, 10)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((1 - shown_after.high, 1 - shown_after.low))
