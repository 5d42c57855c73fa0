"""Every promise has its tests, and the few that are shown nowhere else."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from tests.promises import ROOT, Promise, page, promises

ALL = tuple(promises())
UPLOADS = re.compile(
    r"\b(create_commit|create_repo|upload_(file|folder|large_folder)|push_to_hub)\b"
)


def defined(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_there_are_thirty_two_promises() -> None:
    assert [one.number for one in ALL] == list(range(1, 33))


@pytest.mark.parametrize("promise", ALL, ids=lambda one: f"P{one.number}")
def test_every_promise_names_tests_that_exist(promise: Promise) -> None:
    assert promise.tests
    for test in promise.tests:
        file, _, name = test.partition("::")
        assert name.startswith("test_") and name in defined(file), test


def test_a_page_says_whether_it_held() -> None:
    one = ALL[0]
    assert "held" in page(one, set())
    assert "FAILED" in page(one, {one.tests[0]})


@pytest.mark.parametrize("recipe", ["uce_r2d2", "remove_r2d2"])
def test_threads_and_hash_seeds_do_not_change_a_byte(recipe: str, tmp_path: Path) -> None:
    written = []
    for threads, seed in (("1", "0"), ("2", "1")):
        out = tmp_path / threads
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        env = os.environ | dict.fromkeys(names, threads) | {"PYTHONHASHSEED": seed}
        words = [sys.executable, "-m", "surgery", "apply", recipe, "-o", str(out)]
        subprocess.run(words, check=True, capture_output=True, env=env, cwd=ROOT)
        files = sorted(path for path in out.rglob("*") if path.is_file())
        written.append({path.relative_to(out): path.read_bytes() for path in files})
    assert written[0] == written[1]


def test_two_files_change_what_is_on_the_hub() -> None:
    """What the tests of pushes hold for it, holds for all."""
    sources = (ROOT / "surgery").rglob("*.py")
    found = sorted(path.name for path in sources if UPLOADS.search(path.read_text("utf-8")))
    assert found == ["hub_branch.py", "hub_push.py"]


def test_every_dependency_is_held_to_one_version() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    held = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {re.split(r"[\[<>=!~ ]", text)[0].lower().replace("_", "-") for text in asked}
    assert names <= held
    assert not [line for line in lines if line.strip() and line[0] != "#" and "==" not in line]


def test_nothing_of_ours_runs_when_it_is_installed() -> None:
    """No setup.py and no build hook: installing a wheel or the source only copies files."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert settings["build-system"]["requires"] == ["hatchling"]
    assert "hooks" not in str(settings["tool"].get("hatch", {}))
    assert not (ROOT / "setup.py").exists() and not (ROOT / "hatch_build.py").exists()


def test_it_is_said_how_to_report_a_hole() -> None:
    assert "privately" in (ROOT / ".github/SECURITY.md").read_text("utf-8")
