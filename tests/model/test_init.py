"""One package runs models: others neither import diffusers nor put hooks on modules."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "surgery"
# The built-in model is made with diffusers; `hush` only lowers its voice.
OTHERS = ("atelier", "cli/hush.py")


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    found = {
        alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names
    }
    found |= {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    return {name.partition(".")[0] for name in found}


def test_only_the_model_package_imports_diffusers() -> None:
    users = {
        path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if "diffusers" in imported(path)
    }
    allowed = ("model", *OTHERS)
    strangers = [one for one in users if not one.as_posix().startswith(allowed)]
    assert users and strangers == []


def test_only_one_file_puts_hooks_on_modules() -> None:
    words = ("register_forward_", "register_full_backward_")
    users = [
        path.name
        for path in SOURCE.rglob("*.py")
        if any(word in path.read_text("utf-8") for word in words)
    ]
    assert users == ["hooks.py"]
