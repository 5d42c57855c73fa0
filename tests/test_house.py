"""What a reader may rely on in every file: its length, its docstring, nothing of one machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = sorted([*(ROOT / "surgery").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
SOURCE = [path for path in PYTHON if path.is_relative_to(ROOT / "surgery")]
TEXTS = [*PYTHON, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.txt")]

LONGEST_FILE, LONGEST_FUNCTION, MOST_POSITIONAL = 300, 60, 5
PRINTER = ROOT / "surgery" / "cli" / "console.py"
# A path that means something on one machine only.
MACHINE_PATH = re.compile(r"(?<![\w.:/~}])/(?:home|root|work|Users|opt|mnt)/\w")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls_print(path: Path) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_there_are_files_to_check() -> None:
    assert len(SOURCE) > 30
    assert PRINTER in SOURCE


@pytest.mark.parametrize("path", PYTHON, ids=shown)
def test_no_file_is_longer_than_three_hundred_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCE, ids=shown)
def test_functions_are_short_and_take_few_positional_arguments(path: Path) -> None:
    for function in functions(path):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < LONGEST_FUNCTION, function.name
        named = [arg for arg in function.args.args if arg.arg not in ("self", "cls")]
        says_so = any(isinstance(arg.annotation, ast.Subscript) for arg in named)
        is_command = path.parent.name == "cli" and (says_so or function.name == "command")
        assert is_command or len(named) <= MOST_POSITIONAL, function.name


@pytest.mark.parametrize("path", SOURCE, ids=shown)
def test_a_file_says_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCE, ids=shown)
def test_only_the_console_prints(path: Path) -> None:
    assert path == PRINTER or not calls_print(path)


@pytest.mark.parametrize("path", TEXTS, ids=shown)
def test_no_text_holds_a_path_of_one_machine(path: Path) -> None:
    assert not MACHINE_PATH.search(path.read_text(encoding="utf-8"))


def test_these_checks_can_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    print('/ho" + "me/someone')\n", encoding="utf-8")
    assert calls_print(wrong)
    assert MACHINE_PATH.search(wrong.read_text(encoding="utf-8"))
    assert [function.name for function in functions(wrong)] == ["f"]
