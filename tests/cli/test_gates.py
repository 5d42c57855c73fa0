from __future__ import annotations

import pytest

from surgery.cli.gates import check_gates, gate_lines
from surgery.errors import GateError
from surgery.report import Gate

MET = Gate("leak", "at most 0.1", "0.02", True)
MISSED = Gate("drift", "at most 0.1", "0.4", False)


def test_a_line_says_what_was_found_and_what_was_expected() -> None:
    lines = gate_lines([MET, MISSED])
    assert [line.text for line in lines] == [
        "pass  leak: 0.02, expected at most 0.1",
        "FAIL  drift: 0.4, expected at most 0.1",
    ]
    assert [line.style for line in lines] == ["good", "bad"]


def test_gates_that_are_met_raise_nothing() -> None:
    check_gates([])
    check_gates([MET])


def test_a_missed_gate_is_named_in_the_error() -> None:
    with pytest.raises(GateError, match=r"1 of 2 gates failed: drift: 0.4, expected at most 0.1"):
        check_gates([MET, MISSED])
