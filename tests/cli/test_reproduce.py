"""`surgery reproduce` at the command line: exit codes, words, and JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from surgery.cli import main
from surgery.cli.failures import GATE
from surgery.cli.plain import plain_lines
from surgery.cli.reproduce import reproduce_page
from surgery.report import ReproduceReport, VersionChange
from surgery.report.remade import RemadeTensor

TENSOR = RemadeTensor("a.weight", "F16", "small", 7, 1e-3, 0.004, False)
REPORT = ReproduceReport(
    "out", "atelier", "it", (TENSOR,), 3, ("b",), (VersionChange("numpy", "1", ""),)
)


def test_a_page_names_what_differs_and_how_seriously() -> None:
    text = "\n".join(plain_lines(reproduce_page(REPORT)))
    for part in (
        "a.weight",
        "small",
        "7 of F16",
        "not the base's, and not of the edit: b",
        "changed after its record was written: a.weight",
        "numpy was 1 and is unnamed",
        "it on atelier: differs: different",
    ):
        assert part in text
    same = replace(TENSOR, level="identical", as_recorded=True)
    equal = replace(REPORT, tensors=(same,), astray=())
    assert "it on atelier: equal" in "\n".join(plain_lines(reproduce_page(equal)))


def test_equal_is_0_and_a_difference_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["apply", "remove_vangogh", "-o", "out", "--allow-weak"]) == 0
    assert main(["reproduce", "out"]) == 0
    file = next(Path("out/text_encoder").glob("*.safetensors"))
    record = json.loads(Path("out/surgery.json").read_text("utf-8"))
    (name,) = (one["name"].partition("/")[2] for one in record["tensors"])
    data = bytearray(file.read_bytes())
    length = int.from_bytes(data[:8], "little")
    at = json.loads(data[8 : 8 + length])[name]["data_offsets"][0]
    data[8 + length + at] ^= 1
    file.write_bytes(data)
    capsys.readouterr()
    assert main(["reproduce", "out", "--format", "json"]) == GATE
    said = capsys.readouterr()
    assert json.loads(said.out)["level"] == "rounding"
    assert "is not what its record gives: rounding" in said.err
    assert main(["reproduce", "out", "--accept", "rounding"]) == 0
    assert main(["reproduce", "atelier"]) == 2
    assert "no record of an edit comes with it" in capsys.readouterr().err
