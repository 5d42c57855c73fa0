"""Bytes are counted where they go: in plain uploads and in what Xet reports."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from huggingface_hub import get_session
from huggingface_hub.utils import _xet_progress_reporting as bars

from surgery.store import hub_traffic
from surgery.store.hub_traffic import Traffic, watched


@dataclass
class Report:
    total_transfer_bytes_completed: int


def answer(method: str, status: int, length: str | None) -> SimpleNamespace:
    headers = {} if length is None else {"Content-Length": length}
    request = SimpleNamespace(method=method, headers=headers)
    return SimpleNamespace(request=request, status_code=status)


def test_only_bodies_that_were_taken_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_traffic, "_uses_xet", lambda: False)
    session = get_session()
    before = (session.event_hooks["response"], session.timeout)
    with watched() as traffic:
        (*_, seen) = session.event_hooks["response"]
        for one in (("PUT", 200, "7"), ("PUT", 500, "9"), ("POST", 200, "9"), ("PUT", 200, None)):
            seen(answer(*one))
        assert session.timeout != before[1]
    assert traffic.sent == 7
    assert (session.event_hooks["response"], session.timeout) == before


def test_what_xet_reports_counts_and_its_bar_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_traffic, "_uses_xet", lambda: True)
    drawn = bars.XetUploadProgressReporter
    with watched() as traffic:
        listener = bars.XetUploadProgressReporter()
        listener.update_progress(Report(100), {})
        listener.update_progress(Report(250))
        listener.close()
    assert traffic.sent == 250
    assert bars.XetUploadProgressReporter is drawn


def test_the_client_reports_what_is_listened_to() -> None:
    assert "total_transfer_bytes_completed" in inspect.getsource(bars.XetUploadProgressReporter)


def test_a_client_without_such_a_bar_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_traffic, "_uses_xet", lambda: True)
    monkeypatch.delattr(bars, "XetUploadProgressReporter")
    with watched() as traffic:
        pass
    assert traffic == Traffic(None)
