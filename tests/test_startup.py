"""What the commands do not import, so that they answer at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
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


def fastest(argv: list[str], runs: int = 5) -> float:
    """Seconds of the fastest of several runs, which a busy machine disturbs least."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(argv, capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    return min(times)


@pytest.mark.parametrize(
    "argv", [["--help"], ["apply", "--help"], ["recipe", "-h"], ["recipe", "new", "-h"]]
)
def test_help_imports_nothing_heavy(argv: list[str]) -> None:
    code, loaded = run(*argv)
    assert code == 0
    assert not loaded & HEAVY


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
