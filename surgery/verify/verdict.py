"""One sentence that says what a verification found."""

from __future__ import annotations

from surgery.report.verify import SetFigures, VerifyReport


def verdict(report: VerifyReport) -> str:
    """What a reader would say of it: what is gone, what stayed, and which gates were missed."""
    gone = [_gone(one) for one in report.of("erased", "given") if one.shown_after]
    said = "; ".join(gone) or "nothing was looked for"
    if report.passed:
        return f"{said}; every gate passed ({len(report.gates)})"
    names = ", ".join(gate.name for gate in report.missed)
    return f"{said}; missed: {names}"


def _gone(one: SetFigures) -> str:
    assert one.shown_after is not None
    shown = round(one.shown_after.value * one.shown_after.count)
    before = "" if one.shown_before is None else f" (before {one.shown_before.value:.0%})"
    return f"'{one.concept}' is seen in {shown} of {one.shown_after.count} pictures{before}"
