from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from surgery.cli import main

RUN = "import sys; from surgery.cli import main; sys.exit(main())"


def surgery(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    argv = [sys.executable, "-c", RUN, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_both_spellings_of_help_work_everywhere(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([], ["apply"], ["recipe"], ["recipe", "new"]):
        assert main([*words, flag]) == 0
        assert capsys.readouterr().out.startswith(" ".join(["Usage: surgery", *words]))


@pytest.mark.parametrize("words", [[], ["recipe"]])
def test_a_group_without_a_command_shows_its_help(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Commands:" in shown.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["aply"], "'apply'"),
        (["diff", "a"], "Missing argument 'B'; see surgery diff --help"),
        (["diff", "a", "b", "--colour"], "--colour"),
        (["inspect", "a", "--format", "xml"], "--format"),
        (["inspect", "missing.safetensors"], "missing.safetensors"),
        (["recipe", "show", "remove_vangog"], "did you mean remove_vangogh?"),
        (["apply", "no/such.yaml"], "no/such.yaml"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Error: ")
    assert shown.err.count("\n") == 1
    assert part in shown.err


def test_a_mistyped_word_cannot_send_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["\x1b[31m"], ["inspect", "\x1b]0;x\x07"], ["inspect", "a", "--format", "\x9b"]):
        assert main(words) == 2
        text = capsys.readouterr().err
        assert all(char.isprintable() or char == "\n" for char in text), text


def test_the_version_is_one_line() -> None:
    done = surgery("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("surgery")


def test_a_reader_that_goes_away_is_met_with_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-c", RUN, "recipe", "schema"]
    done = subprocess.run(argv, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_help_into_a_pipe_that_nobody_reads_is_silent_too() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-c", RUN, "--help"]
    done = subprocess.run(argv, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"TERM": "dumb"},
        {"HOME": "/nonexistent"},
    ],
    ids=str,
)
def test_the_environment_does_not_break_a_table(changes: dict[str, str]) -> None:
    done = surgery("recipe", "ls", env={**os.environ, **changes})
    assert done.returncode == 0, done.stderr
    assert "remove_vangogh" in done.stdout


def test_a_closed_stdout_is_no_error() -> None:
    script = f"{sys.executable} -c '{RUN}' recipe ls >&-"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_working_folder_that_is_gone_is_no_bug(tmp_path: Path) -> None:
    script = f"mkdir gone && cd gone && rmdir ../gone && {sys.executable} -c '{RUN}' inspect x"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
