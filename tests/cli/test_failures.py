from __future__ import annotations

import errno
import os
import re
import tempfile
from pathlib import Path

import pytest

from surgery.cli.failures import report
from surgery.cli.stopping import Stopped
from surgery.errors import (
    CheckpointError,
    EditError,
    GateError,
    HubError,
    LayoutError,
    OutputError,
    RecipeError,
    ResourceError,
    SurgeryError,
    UsageError,
)

CODES: dict[type[SurgeryError], int] = {
    UsageError: 2,
    RecipeError: 2,
    CheckpointError: 2,
    LayoutError: 2,
    EditError: 2,
    OutputError: 2,
    GateError: 3,
    HubError: 4,
    ResourceError: 5,
}


@pytest.mark.parametrize(
    ("kind", "code"), CODES.items(), ids=lambda item: getattr(item, "__name__", "")
)
def test_a_mistake_is_one_line_and_has_its_exit_code(
    kind: type[SurgeryError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(kind("7 is too many", where="a.yaml:3", hint="take 6")) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "Error: a.yaml:3: 7 is too many; take 6\n"


def test_every_kind_of_mistake_has_a_known_exit_code() -> None:
    assert set(SurgeryError.__subclasses__()) == set(CODES)


def test_a_subclass_of_a_mistake_keeps_its_exit_code() -> None:
    class Gated(HubError):
        """A repository that asks for consent."""

    assert report(Gated("no access")) == 4


def test_control_characters_in_a_mistake_are_shown_and_not_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report(CheckpointError("no tensor \x1b[31m\u202e\x07[bold]x"))
    assert capsys.readouterr().err == r"Error: no tensor \u001b[31m\u202e\u0007[bold]x" + "\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (Stopped(15), 143), (Stopped(1), 129), (MemoryError(), 5)],
)
def test_an_end_from_outside_is_one_line(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == code
    assert capsys.readouterr().err.count("\n") == 1


def log_of(text: str) -> Path:
    found = re.search(r"details are in (\S+\.log)$", text.strip())
    assert found, text
    return Path(found[1])


def test_a_bug_is_one_line_and_a_log_file(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError("something broke")
    except RuntimeError as error:
        assert report(error) == 1
    shown = capsys.readouterr().err
    log = log_of(shown)
    text = log.read_text(encoding="utf-8")
    log.unlink()
    assert shown.count("\n") == 1
    assert "Traceback" not in shown
    assert "something broke" in text
    assert "test_failures.py" in text
    assert "numpy " in text


def test_no_token_reaches_the_log_of_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hf_" + "AbCdEfGhIj123"
    report(RuntimeError(f"401 for {secret}, Authorization: Bearer abc.def"))
    log = log_of(capsys.readouterr().err)
    text = log.read_text(encoding="utf-8")
    log.unlink()
    assert secret not in text
    assert "abc.def" not in text


def test_the_exit_code_of_a_system_exit_is_kept() -> None:
    assert report(SystemExit(7)) == 7


@pytest.mark.parametrize(("number", "code"), [(errno.EIO, 2), (errno.ENOSPC, 5), (errno.EMFILE, 5)])
def test_a_failing_disk_is_no_bug(
    number: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(OSError(number, os.strerror(number), "a\x1bb")) == code
    assert (
        capsys.readouterr().err == f"Error: the system failed: {os.strerror(number)} (a\\u001bb)\n"
    )


def test_a_bug_whose_log_cannot_be_kept_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    assert report(ValueError("x")) == 1
    assert "its details cannot be kept" in capsys.readouterr().err
