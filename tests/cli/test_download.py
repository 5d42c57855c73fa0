"""What `apply` says of a model on the Hub, and what it leaves alone of one that is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.cli.console import Output
from surgery.cli.download import bring, fetched_lines
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.recipes import nothing
from tests.store.build import write_file


def test_a_model_that_is_here_is_not_brought(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", {"a": ("U8", (3,))}))
    assert bring(Output("human"), checkpoint) is checkpoint
    assert capsys.readouterr() == ("", "")


def test_what_came_is_said_in_bytes_and_requests(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", {"a": ("U8", (3,))}))
    report = apply(nothing(), checkpoint, dry_run=True)
    total = report.plan.bytes_total
    assert fetched_lines(report.fetched, report.requests, total) == []
    (line,) = fetched_lines(12_345, 2, total)
    assert line.text.startswith("fetched 12.3 kB of ")
    assert line.text.endswith("(12,345 bytes) by 2 requests")
