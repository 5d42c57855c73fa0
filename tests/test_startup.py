"""What the commands do not import, so that they answer at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "diffusers", "transformers", "huggingface_hub", "numpy", "pydantic", "rich"}
MODELS = {"torch", "diffusers", "transformers", "huggingface_hub"}
HF = Path(sys.executable).with_name("hf")

PROBE = """
import contextlib, io, json, sys
{first}
from surgery.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    code = main({argv!r})
print(json.dumps([code, sorted(name for name in sys.modules if "." not in name)]))
"""


def run(*argv: str, first: str = "") -> tuple[int, set[str]]:
    """The exit code of a command in a fresh process, and the top-level modules it left loaded."""
    script = PROBE.format(first=first, argv=list(argv))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    code, names = json.loads(done.stdout)
    return code, set(names)


def fastest(argv: list[str], runs: int = 3) -> float:
    """Processor seconds of the fastest of several runs: on an idle machine, the wall clock's."""
    times = []
    for _ in range(runs):
        before = os.times()
        subprocess.run(argv, capture_output=True, check=True)
        after = os.times()
        spent = after.children_user - before.children_user
        times.append(spent + after.children_system - before.children_system)
    return min(times)


def test_help_imports_nothing_heavy() -> None:
    code, loaded = run("--help")
    assert code == 0
    assert not loaded & HEAVY


@pytest.mark.parametrize("argv", [["apply", "--help"], ["recipe", "-h"], ["recipe", "new", "-h"]])
def test_the_help_of_a_command_imports_little_more(argv: list[str]) -> None:
    code, loaded = run(*argv)
    assert code == 0
    # Typer itself loads pydantic as soon as there are words to parse.
    assert not loaded & (HEAVY - {"pydantic"})


@pytest.mark.parametrize("argv", [["recipe", "ls"], ["recipe", "check", "remove_vangogh"]])
def test_recipes_are_read_without_the_model_libraries(argv: list[str]) -> None:
    code, loaded = run(*argv)
    assert code == 0
    assert not loaded & MODELS


def test_inspect_imports_no_model_library_and_no_numpy() -> None:
    code, loaded = run("inspect", "atelier")
    assert code == 0
    assert not loaded & (MODELS | {"numpy"})


def test_a_closed_form_edit_imports_no_model_library(tmp_path: Path) -> None:
    code, loaded = run("apply", "remove_vangogh", "-o", str(tmp_path / "out"))
    assert code == 0
    assert not loaded & MODELS


def test_the_import_test_can_fail() -> None:
    _, loaded = run("--help", first="import huggingface_hub, numpy")
    assert loaded & HEAVY == {"huggingface_hub", "numpy"}


def test_help_answers_in_under_a_third_of_a_second_and_before_hf_does() -> None:
    script = "import sys; from surgery.cli import main; sys.exit(main(['--help']))"
    ours = fastest([sys.executable, "-c", script])
    assert ours < 0.3
    if HF.exists():
        assert ours < fastest([str(HF), "--help"])
