from __future__ import annotations

import pytest

from surgery.errors import UsageError
from surgery.report import DiffReport, Spread, TensorChange

CHANGE = TensorChange(
    "text_encoder/a", "values", "F16 [4, 4]", "F16 [4, 4]", 32, 16, 5, 0.25, 0.01, 1
)
REPORT = DiffReport("a", "b", "one rank-1 change", 10, 9, (CHANGE,), ("model_index.json",))


def test_a_report_survives_json() -> None:
    assert DiffReport.from_json(REPORT.to_json()) == REPORT


def test_json_says_kind_and_version_first() -> None:
    assert list(REPORT.to_dict())[:2] == ["kind", "version"]


def test_equal_reports_give_equal_text() -> None:
    assert DiffReport.from_json(REPORT.to_json()).to_json() == REPORT.to_json()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "not JSON"),
        ("[]", "kind"),
        ('{"kind": "plan", "version": 1}', "kind"),
        ('{"kind": "diff", "version": 2}', "version 2"),
        ('{"kind": "diff", "version": 1}', "before"),
        (REPORT.to_json().replace('"verdict"', '"verdikt"'), "verd"),
    ],
)
def test_refuses_what_is_not_such_a_report(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        DiffReport.from_json(text)


def test_a_spread_holds_the_ends_the_middle_and_the_count() -> None:
    assert Spread.of([3, 1, 2, 10]) == Spread(1.0, 2.5, 10.0, 10.0, 4)


def test_a_diff_without_changes_is_the_same() -> None:
    assert not REPORT.same
    assert DiffReport("a", "b", "", 1, 1, ()).same
