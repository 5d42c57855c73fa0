from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from surgery import open_checkpoint
from surgery.report import Drift, Leak, Spread
from surgery.verify.known import leaks_and_drifts
from tests.helpers.tiny import write_pipeline

SPREAD = Spread(0.0, 0.1, 0.15, 0.2, 3)
LEAK = Leak(0, "van gogh", "painting", "prompts", SPREAD)
DRIFT = Drift(0, "neutral", 9, SPREAD, ())


def test_leak_and_drift_are_taken_from_the_record_beside_a_model(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "model")
    assert leaks_and_drifts(open_checkpoint(folder)) == ((), ())
    said = {"kind": "record", "leaks": [asdict(LEAK)], "drifts": [asdict(DRIFT)]}
    (folder / "surgery.json").write_text(json.dumps(said), encoding="utf-8")
    assert leaks_and_drifts(open_checkpoint(folder)) == ((LEAK,), (DRIFT,))


def test_a_record_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "model")
    for text in ("{", '{"leaks": [{"edit": "none"}]}', "[]"):
        (folder / "surgery.json").write_text(text, encoding="utf-8")
        assert leaks_and_drifts(open_checkpoint(folder)) == ((), ())
