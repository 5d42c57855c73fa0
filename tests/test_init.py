from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from types import FunctionType

import pytest

import surgery

HEAVY = ("torch", "numpy", "transformers", "diffusers", "huggingface_hub", "rich", "pydantic")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = run(f"import sys, surgery; print([n for n in {HEAVY!r} if n in sys.modules])")
    assert loaded == "[]"


@pytest.mark.parametrize("name", [name for name in surgery.__all__ if name[0].islower()])
def test_public_verbs_are_functions(name: str) -> None:
    assert isinstance(getattr(surgery, name), FunctionType)


@pytest.mark.parametrize(
    "code",
    [
        "from surgery.apply import solve; import surgery; print(callable(surgery.apply))",
        "import surgery.apply; print(callable(surgery.apply))",
        "import surgery; surgery.apply; import surgery.diff; print(callable(surgery.diff))",
        "from surgery import diff; print(callable(diff))",
    ],
)
def test_a_verb_stays_a_function_in_whatever_order_modules_are_imported(code: str) -> None:
    assert run(code) == "True"


def test_names_that_are_not_there_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        surgery.nothing_like_it  # noqa: B018


def test_every_public_name_is_listed() -> None:
    assert set(dir(surgery)) == set(surgery.__all__)


def test_the_version_is_known_without_an_installation() -> None:
    assert run("import surgery; print(surgery.__version__)") == version("surgery")
