"""A verification as JUnit XML, which CI systems show as tests: one for each gate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from surgery.report import Gate, VerifyReport
from surgery.report.sets import missed_by
from surgery.store.text import visible

ALONE = "all"
"""Name of the test of a gate that is not about one concept."""

# Not in XML 1.0, section 2.2, even as a reference; other such characters are made visible.
_FORBIDDEN = re.compile("[\ufffe\uffff]")


def junit_xml(report: VerifyReport) -> str:
    """A suite for each kind of gate, a test for each gate; the same text for equal reports."""
    root = Xml.Element("testsuites", {"name": "surgery verify", **_counts(report.gates)})
    if report.cost is not None:
        root.set("time", f"{report.cost.seconds:.3f}")
    for name in dict.fromkeys(_kind(gate) for gate in report.gates):
        gates = [gate for gate in report.gates if _kind(gate) == name]
        suite = Xml.SubElement(root, "testsuite", {"name": _text(name), **_counts(gates)})
        _properties(suite, report)
        for gate in gates:
            _test(suite, name, gate)
    Xml.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{Xml.tostring(root, encoding='unicode')}\n"


def _properties(suite: Xml.Element, report: VerifyReport) -> None:
    known = Xml.SubElement(suite, "properties")
    judges = ", ".join(f"{one.name} ({one.model} {one.revision})" for one in report.judges)
    for name, value in (
        ("before", _model(report.before.address, report.before.fingerprint)),
        ("after", _model(report.after.address, report.after.fingerprint)),
        ("judges", judges),
        ("verdict", report.verdict),
    ):
        Xml.SubElement(known, "property", {"name": name, "value": _text(value)})


def _model(address: str, fingerprint: str) -> str:
    return f"{address} ({fingerprint})" if fingerprint else address


def _test(suite: Xml.Element, kind: str, gate: Gate) -> None:
    about = gate.name.partition(": ")[2] or ALONE
    words = {"classname": _text(f"surgery.verify.{kind}"), "name": _text(about)}
    test = Xml.SubElement(suite, "testcase", words)
    lines = [f"expected {gate.limit}", f"found {gate.found}", *([gate.note] if gate.note else [])]
    told = "\n".join(map(_text, lines))
    if gate.passed:
        Xml.SubElement(test, "system-out").text = told
        return
    message = f"{missed_by(gate)}: found {gate.found}, expected {gate.limit}"
    failure = Xml.SubElement(test, "failure", {"type": "gate", "message": _text(message)})
    failure.text = told


def _kind(gate: Gate) -> str:
    return gate.name.partition(": ")[0]


def _counts(gates: Sequence[Gate]) -> dict[str, str]:
    failed = sum(not gate.passed for gate in gates)
    return {"tests": str(len(gates)), "failures": str(failed), "errors": "0"}


def _text(words: str) -> str:
    return _FORBIDDEN.sub("\ufffd", visible(words))
