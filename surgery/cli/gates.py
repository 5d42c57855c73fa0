"""Expectations and what was found, as lines for reading and as the error of a missed one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from surgery.cli.page import Line
from surgery.errors import GateError

if TYPE_CHECKING:
    from surgery.report import Gate


def gate_lines(gates: Sequence[Gate]) -> list[Line]:
    """One line for each gate: what was found, and what was expected."""
    return [
        Line(f"{_word(gate)}  {gate.name}: {_found(gate)}", "good" if gate.passed else "bad")
        for gate in gates
    ]


def check_gates(gates: Sequence[Gate]) -> None:
    """Raise GateError unless every gate passed."""
    missed = [gate for gate in gates if not gate.passed]
    if missed:
        shown = "; ".join(f"{gate.name}: {_found(gate)}" for gate in missed)
        raise GateError(f"{len(missed)} of {len(gates)} gates failed: {shown}")


def _word(gate: Gate) -> str:
    return "pass" if gate.passed else "FAIL"


def _found(gate: Gate) -> str:
    said = f"{gate.found}, expected {gate.limit}"
    if gate.missed_by > 0:
        short = f"{gate.missed_by:.1%}" if "%" in gate.limit else f"{gate.missed_by:.3g}"
        said += f", missed by {short}"
    return f"{said} ({gate.note})" if gate.note else said
