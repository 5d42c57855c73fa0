from __future__ import annotations

import errno
import io
import json
import logging
import os
import sys

import pytest

from surgery.cli.console import Output, complain
from surgery.cli.page import Line, Table
from surgery.errors import OutputError

NASTY = "a\x1b]0;gone\x07\u202e\u200b\x9b[bold red]b[/]\r"
PAGE = [
    Line("done", "good"),
    Table("sizes", ("name", "bytes"), (("one", "1"), ("two", "22")), right=frozenset({1})),
]


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_the_result_goes_to_stdout_and_the_talk_to_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = Output()
    out.result({"a": 1}, ["a"], PAGE)
    out.talk([Line("by the way")])
    shown = capsys.readouterr()
    assert "done" in shown.out
    assert "two" in shown.out
    assert shown.err == "by the way\n"


def test_json_is_the_whole_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output("json")
    out.page(PAGE)
    out.result({"name": NASTY, "n": 1}, ["a"], PAGE)
    text = capsys.readouterr().out
    assert json.loads(text) == {"name": NASTY, "n": 1}
    assert text.isascii()
    assert all(char.isprintable() or char == "\n" for char in text)


def test_quiet_is_one_name_per_line_and_no_talk(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output("quiet")
    out.talk([Line("by the way")])
    out.result({"a": 1}, ["one", "two\nthree"], PAGE)
    shown = capsys.readouterr()
    assert shown.out == "one\ntwo\\u000athree\n"
    assert shown.err == ""


def test_names_from_files_send_nothing_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    Output().page([Line(NASTY), Table(NASTY, ("name",), ((NASTY,),))])
    shown = terminal.getvalue()
    assert shown.count(r"\u001b]0;gone\u0007\u202e\u200b\u009b[bold red]b[/]\u000d") == 3
    assert not {"\x07", "\u202e", "\u200b", "\x9b", "\r"} & set(shown)
    assert "\x1b]" not in shown


def test_colour_is_for_terminals_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Output().page(PAGE)
    assert "\x1b" not in capsys.readouterr().out
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    Output().page(PAGE)
    assert "\x1b[32mdone" in terminal.getvalue()


def test_lines_that_programs_read_are_never_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    long = "x" * 500
    Output().page([Line(long), Table("", ("name",), ((long,),))])
    assert capsys.readouterr().out.count(long) == 2


def test_an_error_of_several_lines_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first\nsecond\x1b")
    assert capsys.readouterr().err == "Error: first\nsecond\\u001b\n"


def test_a_closed_stream_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    out = Output()
    out.result({}, [], PAGE)
    out.talk(PAGE)
    with out.progress("copying", 10) as advance:
        advance(10)


def test_warnings_of_the_library_are_shown_once_and_escaped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output()
    Output()
    logging.getLogger("surgery").warning("two files: %s", "a\x1bb")
    logging.getLogger("surgery").info("nothing to see")
    assert capsys.readouterr().err == "Warning: two files: a\\u001bb\n"


def test_short_work_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Output().progress("copying", 10) as advance:
        advance(10)
    assert terminal.getvalue() == ""


def test_long_work_shows_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("surgery.cli.console.PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    with Output().progress("copying", 10_000) as advance:
        advance(5_000)
        advance(5_000)
    assert "copying" in terminal.getvalue()


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_result_that_cannot_be_shown_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OutputError, match="the result cannot be shown: No space left"):
        Output("quiet").result({}, ["a"], [])


def test_talk_that_cannot_be_told_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    Output().talk([Line("a")])
    complain("b")
