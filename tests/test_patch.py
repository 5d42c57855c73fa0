from __future__ import annotations

import json

import numpy as np
import pytest

from surgery.edits.delta import Dense, LowRank, Rows
from surgery.errors import EditError
from surgery.patch import Change, EditRecord, Patch

W = np.arange(12, dtype=np.float32).reshape(4, 3)
ONES = Dense(np.ones((4, 3)))
RECORD = EditRecord("quickfix", ("a",), 1, 0.1234567891)


def patch(*changes: Change) -> Patch:
    return Patch({"a": changes}, '{"name":"x"}', "f" * 64, "0.1.0", (RECORD,))


def test_a_change_is_added_in_float64() -> None:
    value = Change(ONES).added_to(W)
    assert value.dtype == np.float64
    assert np.array_equal(value, W + 1)


def test_a_change_of_some_rows_leaves_the_others() -> None:
    value = Change(LowRank(np.ones((2, 1)), np.ones((1, 3))), rows=(1, 3)).added_to(W)
    assert np.array_equal(value - W, [[0] * 3, [1] * 3, [1] * 3, [0] * 3])


def test_changes_add_up_in_order_and_leave_the_weight_alone() -> None:
    before = W.copy()
    row = Change(Rows(np.array([0]), np.full((1, 3), 2.0), (4, 3)))
    value = patch(Change(ONES), row).value("a", W)
    assert np.array_equal(value[0], W[0] + 3)
    assert np.array_equal(W, before)


def test_a_change_that_does_not_fit_names_the_tensor() -> None:
    with pytest.raises(EditError, match=r"^a: .*does not fit"):
        patch(Change(Dense(np.ones((2, 2))))).value("a", W)


def test_metadata_tells_version_recipe_base_and_edits() -> None:
    keys = patch(Change(ONES)).metadata({})
    assert keys["surgery.version"] == "0.1.0"
    assert keys["surgery.recipe"] == '{"name":"x"}'
    assert keys["surgery.base"] == "f" * 64
    (edit,) = json.loads(keys["surgery.edits"])
    assert edit == {
        "method": "quickfix",
        "base": "f" * 64,
        "tensors": ["a"],
        "rank": 1,
        "leak": 0.123457,
    }


def test_metadata_keeps_the_edits_of_before() -> None:
    first = patch(Change(ONES)).metadata({"format": "pt"})
    second = patch(Change(ONES)).metadata(first)
    assert len(json.loads(second["surgery.edits"])) == 2
    assert "format" not in second


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "3"])
def test_an_unreadable_history_starts_anew(text: str) -> None:
    keys = patch(Change(ONES)).metadata({"surgery.edits": text})
    assert len(json.loads(keys["surgery.edits"])) == 1
