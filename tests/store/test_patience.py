"""A failure that may pass is borne, for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from surgery.errors import HubError
from surgery.store.patience import AgainError, Patience, retry_after

QUICK = Patience(pauses=(0.0, 0.0), longest=1.0)


def failing(times: int, wait: float | None = None) -> Callable[[], str]:
    left = [times]

    def work() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise AgainError("busy", wait)
        return "done"

    return work


def test_work_that_succeeds_at_last_has_succeeded(caplog: pytest.LogCaptureFixture) -> None:
    assert QUICK.call(failing(2), "org/name") == "done"
    assert "org/name: busy; trying again in 0 s" in caplog.text


def test_work_that_never_succeeds_ends() -> None:
    with pytest.raises(HubError, match="org/name: busy, at each of 3 tries; try again later"):
        QUICK.call(failing(3), "org/name")


def test_the_wait_that_is_asked_for_is_kept() -> None:
    began = time.monotonic()
    assert QUICK.call(failing(1, wait=0.2), "x") == "done"
    assert time.monotonic() - began >= 0.2


def test_too_long_a_wait_is_told_and_not_kept() -> None:
    with pytest.raises(HubError, match="asks to wait 3600 s"):
        QUICK.call(failing(1, wait=3600), "x")


def test_other_failures_pass_through() -> None:
    with pytest.raises(ZeroDivisionError):
        QUICK.call(lambda: 1 // 0, "x")


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), ("7", 7.0), (" 0 ", 0.0), ("soon", None), ("-1", None)]
)
def test_retry_after_in_seconds(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    found = retry_after(formatdate(time.time() + 30, usegmt=True))
    assert found is not None
    assert 25 < found <= 30
    assert retry_after(formatdate(time.time() - 30, usegmt=True)) == 0.0
