from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from surgery.cli.stopping import Stopped, signals_raise

SCRIPT = """
import sys, time
from surgery.cli.stopping import signals_raise
with signals_raise():
    try:
        print("ready", flush=True)
        time.sleep(30)
    finally:
        time.sleep(0.3)
        print("cleaned up", flush=True)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["SIGTERM", "SIGHUP"]
)
def test_a_request_to_end_becomes_an_exception_that_knows_its_exit_code(
    number: signal.Signals, code: int
) -> None:
    with pytest.raises(Stopped) as caught, signals_raise():
        os.kill(os.getpid(), number)
        threading.Event().wait(5)
    assert caught.value.code == code
    assert number.name in str(caught.value)


def test_ctrl_c_stays_a_keyboard_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), signals_raise():
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(5)


def test_the_handlers_of_before_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals_raise():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_the_parent_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_raise():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_signal_does_not_cut_the_cleaning_up_short() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    threading.Event().wait(0.1)
    child.send_signal(signal.SIGTERM)
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=10)[0] == "cleaned up\n"


def test_outside_the_main_thread_nothing_changes() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with signals_raise():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
