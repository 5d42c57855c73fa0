from __future__ import annotations

from surgery.probes.base import Arm, Clean, Restore
from surgery.runs import Case, Row
from surgery.runs.companions import with_companions
from tests.helpers.probing import PAIRS

ONE, TWO, THREE = (Case(PAIRS[0], seed) for seed in range(3))
CORRUPTED = Arm("corrupted", Restore("", 0))
CLEAN = Arm("clean", Clean())
LAYER, OTHER = Arm("ff[0]", Restore("ff", 0)), Arm("ff[1]", Restore("ff", 1))


def is_restored(row: Row) -> bool:
    return row.arm in (LAYER, OTHER)


def test_each_case_that_is_restored_from_has_one_clean_run_behind_the_rows() -> None:
    rows = [Row(ONE, LAYER), Row(ONE, OTHER), Row(TWO, LAYER)]
    batch = with_companions(rows, is_restored)
    assert batch.rows == tuple(rows)
    assert batch.cases == (ONE, ONE, TWO, ONE, TWO)
    assert [batch.cases[batch.companion[number]] for number in range(3)] == [ONE, ONE, TWO]


def test_cases_that_nothing_is_restored_from_have_none() -> None:
    rows = [Row(ONE, CORRUPTED), Row(TWO, CLEAN), Row(THREE, LAYER)]
    batch = with_companions(rows, is_restored)
    assert batch.cases == (ONE, TWO, THREE, THREE)
    assert batch.companion == {2: 3}
    assert with_companions(rows[:2], is_restored).cases == (ONE, TWO)


def test_clean_rows_and_companions_are_not_corrupted() -> None:
    rows = [Row(ONE, CORRUPTED), Row(TWO, CLEAN), Row(THREE, LAYER)]
    batch = with_companions(rows, is_restored)
    corrupted = batch.corrupted(lambda row: row.arm == CLEAN)
    assert corrupted == (ONE, None, THREE, None)
