"""JUnit XML: a suite for each kind of gate, a test for each gate, whatever their names hold."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from surgery.pages import junit_xml
from surgery.report import Gate
from tests.helpers.probe_reports import HOSTILE
from tests.helpers.verify_reports import bare, every_kind, failed, passed

KINDS = every_kind()


def parsed(text: str) -> Xml.Element:
    return Xml.fromstring(text.encode())


@pytest.mark.parametrize("name", KINDS)
def test_every_report_gives_xml_with_a_test_for_each_gate(name: str) -> None:
    root = parsed(junit_xml(KINDS[name]))
    gates = KINDS[name].gates
    assert root.tag == "testsuites"
    assert int(root.get("tests", "")) == len(root.findall(".//testcase")) == len(gates)
    assert int(root.get("failures", "")) == len(root.findall(".//failure"))
    assert len(root.findall(".//failure")) == len(KINDS[name].missed)


def test_gates_are_grouped_by_what_they_are_on() -> None:
    root = parsed(junit_xml(passed()))
    assert [suite.get("name") for suite in root] == ["erased", "misspellings", "kept", "kept_each"]
    tests = {(one.get("classname"), one.get("name")) for one in root.iter("testcase")}
    assert ("surgery.verify.erased", "van gogh") in tests
    assert ("surgery.verify.kept", "all") in tests


def test_suites_count_their_own_tests() -> None:
    more = replace(failed(), gates=(*failed().gates, Gate("erased: monet", "a", "b", True)))
    suite = parsed(junit_xml(more))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")


def test_a_failure_says_what_was_found_what_was_expected_and_the_miss() -> None:
    failure = parsed(junit_xml(failed())).find(".//failure")
    assert failure is not None
    message = failure.get("message") or ""
    assert message.startswith("missed by 61 points: found 58.0% (43.9% to 70.9% of 48)")
    assert message.endswith("expected at most 10.0%")
    assert "expected at most 10.0%" in (failure.text or "")


def test_a_test_that_passed_says_what_was_found_and_on_what_it_was_decided() -> None:
    out = parsed(junit_xml(passed())).find(".//testsuite[@name='misspellings']//system-out")
    assert out is not None
    assert "found 0.0% (0.0% to 13.8% of 24)" in (out.text or "")
    assert "the share decides" in (out.text or "")


def test_a_suite_names_the_models_the_judges_and_the_verdict() -> None:
    known = {
        one.get("name"): one.get("value") for one in parsed(junit_xml(passed()))[0].iter("property")
    }
    assert known["before"] == "atelier (blake2b:0a1e136823e5)"
    assert "atelier/judge sha256:5f0c9a7714de" in (known["judges"] or "")
    assert known["verdict"] == passed().verdict


@pytest.mark.parametrize(
    "evil", [HOSTILE, "a\x00b\ufffe\ud800\n]]>", "é \U0001f3a8 'quoted' & <x>"]
)
def test_any_name_survives_as_text(evil: str) -> None:
    gate = Gate(f"erased: {evil}", evil, evil, False, 0.1, evil)
    text = junit_xml(replace(bare(), gates=(gate,)))
    (test,) = parsed(text).iter("testcase")
    assert "<script>" not in text
    name = test.get("name") or ""
    assert name
    assert not set(name) & set("\x00\x1b\u202e\ufffe\n")


def test_the_time_is_that_of_the_run() -> None:
    assert parsed(junit_xml(passed())).get("time") == "214.000"
    assert parsed(junit_xml(bare())).get("time") is None
