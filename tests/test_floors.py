"""A module imports only from lower floors or its own package; an edit never imports another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "surgery"
# A module has the floor of the longest name here that it equals or lies under.
FLOORS = {
    "errors": 0,
    "version": 0,
    "report": 1,
    "stage": 1,
    "store": 1,
    "layout": 1,
    "numerics": 1,
    "edits": 2,
    "engine": 2,
    "probes": 2,
    "questions": 3,
    "kinds": 2,
    "prediction": 2,
    "scaled": 2,
    "recipe": 3,
    "patch": 3,
    "hooks": 3,
    "score_file": 3,
    "tokens": 3,
    "plan": 4,
    "draft": 4,
    "card": 4,
    "model": 4,
    "gather": 6,
    "patches": 4,
    "figures": 3,
    "scores": 5,
    "anatomy": 4,
    "gguf": 4,
    "runs": 5,
    "apply": 7,
    "localise": 7,
    "lora": 5,
    "diff": 5,
    "doctor": 5,
    "pictures": 5,
    "pages": 5,
    "atelier": 5,
    "atelier.judge": 4,
    "atelier.pictures": 4,
    "judges": 5,
    "adversary": 6,
    "verify": 7,
    "reproduce": 8,
    "push": 8,
    "tune": 8,
    "atelier.census": 8,
    "atelier.train": 8,
    "atelier.export": 8,
    "cli": 9,
    "__main__": 10,
    "": 10,
}
# Files that are one idea with another, kept apart for their length: they share its floor.
PART_OF = {
    "layouts": "layout",
    "selector": "layout",
    "recipe_text": "recipe",
    "recipe_errors": "recipe",
    "verdict": "diff",
    "blocks": "diff",
    "tensor_diff": "diff",
    "symptoms": "doctor",
    "solve": "apply",
    "rounding": "apply",
    "gates": "apply",
    "cautions": "apply",
    "mask_figures": "apply",
    "in_place": "apply",
    "debias": "apply",
    "provenance": "apply",
    "pushed_files": "push",
    "text_states": "gather",
    "recipe_files": "recipe",
    "recipe_json": "recipe",
    "recipe_expect": "recipe",
    "concept_list": "recipe",
    "recipe_write": "recipe",
}


def modules(source: Path) -> Iterator[tuple[str, Path]]:
    """Every module under a package folder: name relative to the package (the package is "")."""
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(name: str, path: Path, source: Path) -> Iterator[str]:
    """The modules of the package that a file imports anywhere in it, relative to the package."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = imported_from(node, package, source)
        else:
            continue
        for full in found:
            if full == "surgery" or full.startswith("surgery."):
                yield full.removeprefix("surgery").removeprefix(".")


def imported_from(node: ast.ImportFrom, package: str, source: Path) -> list[str]:
    base = node.module or ""
    if node.level:
        above = ["surgery", *package.split(".")] if package else ["surgery"]
        base = ".".join([*above[: len(above) - node.level + 1], *filter(None, [node.module])])
    if base != "surgery" and not base.startswith("surgery."):
        return []
    folder = source.joinpath(*base.split(".")[1:])
    return [
        f"{base}.{alias.name}" if is_module(folder / alias.name) else base for alias in node.names
    ]


def is_module(path: Path) -> bool:
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def package(name: str) -> str:
    top = name.split(".")[0]
    return PART_OF.get(top, top)


def floor(name: str) -> int:
    """The floor of a module; KeyError for one that stands on none."""
    while name not in FLOORS and "." in name:
        name = name.rpartition(".")[0]
    return FLOORS[PART_OF.get(name, name)]


def violations(source: Path) -> list[str]:
    found = []
    for name, path in modules(source):
        for other in imports(name, path, source):
            if package(name) != package(other) and floor(other) >= floor(name):
                found.append(f"{name} (floor {floor(name)}) imports {other} (floor {floor(other)})")
    return found


def methods(source: Path) -> set[str]:
    """The modules whose classes stand in the EDITS dict."""
    tree = ast.parse((source / "edits" / "__init__.py").read_text(encoding="utf-8"))
    registered = {
        node.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Name)
    }
    return {
        node.module.removeprefix("surgery.")
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        if any(alias.name in registered for alias in node.names)
    }


def test_every_module_stands_on_a_floor() -> None:
    homeless = [name for name, _ in modules(SOURCE) if package(name) not in FLOORS]
    assert not homeless, f"give these a line in FLOORS: {homeless}"


def test_modules_import_from_lower_floors_only() -> None:
    assert violations(SOURCE) == []


def test_one_edit_method_never_imports_another() -> None:
    known = methods(SOURCE)
    assert known
    for name, path in modules(SOURCE):
        if name in known:
            assert not (known - {name}) & set(imports(name, path, SOURCE)), name


@pytest.mark.parametrize(
    "line",
    [
        "import surgery.cli",
        "from surgery import diff",
        "from surgery.cli import console",
        "def late():\n    from surgery.apply import solve",
        "from ..plan import make_plan",
        "import surgery",
    ],
)
def test_the_floor_test_can_fail(tmp_path: Path, line: str) -> None:
    for name in ("edits", "cli"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    for name in ("plan", "apply", "diff"):
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "edits" / "wrong.py").write_text(line, encoding="utf-8")
    assert len(violations(tmp_path)) == 1


def test_the_floor_test_lets_lower_floors_pass(tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text(
        "from surgery import errors\nfrom surgery.recipe import Recipe\nimport numpy",
        encoding="utf-8",
    )
    (tmp_path / "errors.py").touch()
    assert violations(tmp_path) == []
