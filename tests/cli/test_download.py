"""What `apply` says of a model on the Hub, and what it leaves alone of one that is here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.cli.console import Output
from surgery.cli.download import brought, fetched_lines
from surgery.store.checkpoint import open_checkpoint
from tests.helpers.recipes import nothing
from tests.store.build import write_file


def test_a_model_that_is_here_is_neither_checked_nor_brought(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", {"a": ("U8", (3,))}))
    with brought(checkpoint, Output("human"), lambda: 1 // 0) as here:
        assert here is checkpoint
    assert capsys.readouterr() == ("", "")


def test_what_came_is_said_in_bytes_and_requests(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_file(tmp_path / "m.safetensors", {"a": ("U8", (3,))}))
    report = apply(nothing(), checkpoint, dry_run=True)
    assert fetched_lines(report) == []
    (line,) = fetched_lines(replace(report, fetched=12_345, requests=2))
    assert line.text.startswith("fetched 12.3 kB of ")
    assert line.text.endswith("(12,345 bytes) by 2 requests")
