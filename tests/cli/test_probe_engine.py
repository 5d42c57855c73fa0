"""`surgery probe` with other processes."""

from __future__ import annotations

import os
import signal
from multiprocessing import active_children
from pathlib import Path
from threading import Event, Thread

import pytest

from surgery.cli import main
from surgery.report import ProbeReport

Capture = pytest.CaptureFixture[str]
FEW = ("--prompts", "1", "--seeds", "1", "--steps", "2", "--method", "locogen", "--batch", "1")
WORDS = ("probe", "atelier", "--concept", "van gogh", *FEW)
LOCAL = ("--engine", "local", "--workers", "2")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(capture: Capture) -> ProbeReport:
    return ProbeReport.from_json(capture.readouterr().out)


def test_workers_find_the_same_and_the_journal_serves_both(capsys: Capture) -> None:
    given = (*WORDS, "--window", "5", "--stride", "5", "--format", "json")
    assert main([*given, "--journal", "one"]) == 0
    one = read(capsys)
    assert main([*given, *LOCAL, "--journal", "two"]) == 0
    two = read(capsys)
    assert active_children() == []
    assert (one.scores, one.anchors, one.settings) == (two.scores, two.anchors, two.settings)
    assert one.cost and two.cost and one.cost.evaluations == two.cost.evaluations
    assert sorted(Path("one").read_text().split("\n")) == sorted(
        Path("two").read_text().split("\n")
    )
    # What is known needs no worker.
    assert main([*given, *LOCAL, "--journal", "one"]) == 0
    again = read(capsys)
    assert again.cost and again.cost.evaluations == 0


def interrupt_once_it_measures(journal: Path, ended: Event) -> None:
    while not ended.wait(0.01):
        if journal.exists() and journal.stat().st_size:
            os.kill(os.getpid(), signal.SIGINT)
            return


def test_ctrl_c_ends_the_workers_and_keeps_what_they_measured(capsys: Capture) -> None:
    words = [*WORDS, "--steps", "20", "--window", "1", *LOCAL, "--journal", "j"]
    ended = Event()
    watching = Thread(target=interrupt_once_it_measures, args=(Path("j"), ended), daemon=True)
    watching.start()
    try:
        assert main(words) == 130
    finally:
        ended.set()
        watching.join()
    assert active_children() == []
    shown = capsys.readouterr()
    assert shown.out == "" and "Traceback" not in shown.err
    assert "kept in j: asked again, it goes on" in shown.err
    kept = len([line for line in Path("j").read_text("utf-8").splitlines() if line])
    assert 1 <= kept < 12


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--workers", "2"), "the engine 'serial' is one process, not 2"),
        (("--workers", "0"), "--workers"),
        (("--address", "auto"), "the engine 'serial' takes no address"),
        (("--engine", "local", "--address", "auto"), "the engine 'local' takes no address"),
        (("--engine", "cloud"), "cloud"),
        (("--threads", "0"), "--threads"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    more: tuple[str, ...], message: str, capsys: Capture
) -> None:
    assert main([*WORDS, *more]) == 2
    shown = capsys.readouterr()
    assert message in shown.err and shown.out == ""
    assert len(shown.err.strip().splitlines()) <= 2


def test_without_ray_the_command_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("surgery.engine.ray.find_spec", lambda name: None)
    assert main([*WORDS, "--engine", "ray"]) == 2
    assert "pip install 'surgery[ray]'" in capsys.readouterr().err
