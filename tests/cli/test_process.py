from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgery.cli.process import prepare_to_solve

THREADS = "OPENBLAS_NUM_THREADS"


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threshold = gc.get_threshold()
    monkeypatch.setenv(THREADS, "4")
    monkeypatch.delenv(THREADS)
    yield
    gc.set_threshold(*threshold)
    atexit.unregister(gc.freeze)


@pytest.mark.parametrize(
    ("methods", "threads"), [(("quickfix",), "1"), (("quickfix", "uce"), None), ((), None)]
)
def test_small_products_are_made_by_one_thread(
    methods: tuple[str, ...], threads: str | None, tmp_path: Path
) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("".join(f"- method: {name}\n" for name in methods), encoding="utf-8")
    prepare_to_solve(recipe)
    assert os.environ.get(THREADS) == threads


def test_a_number_of_threads_that_was_chosen_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.yaml").write_text("method: quickfix", encoding="utf-8")
    monkeypatch.setenv(THREADS, "2")
    prepare_to_solve(tmp_path / "r.yaml")
    assert os.environ[THREADS] == "2"


@pytest.mark.parametrize("name", [None, "missing.yaml", "."])
def test_what_is_no_recipe_file_is_left_for_others_to_refuse(
    name: str | None, tmp_path: Path
) -> None:
    prepare_to_solve(tmp_path / name if name else None)
    assert THREADS not in os.environ
