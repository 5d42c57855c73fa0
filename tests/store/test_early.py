"""Hints to the disk come from a thread that has ended before the file is closed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from surgery.store.early import EarlyWriting


def test_a_small_file_starts_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    with (tmp_path / "small").open("wb") as file:
        early = EarlyWriting(file.fileno())
        early.reached(1 << 20)
        assert threading.active_count() == before
        early.stop()


def test_the_thread_ends_when_it_is_told_to_also_twice(tmp_path: Path) -> None:
    before = threading.active_count()
    with (tmp_path / "large").open("wb") as file:
        os.truncate(file.fileno(), 64 << 20)
        early = EarlyWriting(file.fileno())
        for position in range(0, 64 << 20, 1 << 20):
            early.reached(position)
        early.stop()
        early.stop()
        assert threading.active_count() == before


def test_where_no_thread_can_be_started_it_goes_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with (tmp_path / "file").open("wb") as file:
        hints = EarlyWriting(file.fileno())
        hints.reached(1 << 30)
        hints.reached(1 << 31)
        hints.stop()
