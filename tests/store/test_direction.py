"""Opening a model goes one way: an address is located, then read; nothing leads back."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.test_floors import SOURCE, imports, modules


def order(source: Path) -> list[str]:
    """The modules of `store`, each after all that it imports, late imports included."""
    graph = {
        name: {other for other in imports(name, path, source) if other.startswith("store.")}
        for name, path in modules(source)
        if name.startswith("store.")
    }
    return list(TopologicalSorter(graph).static_order())


def test_no_module_of_the_store_imports_one_that_imports_it() -> None:
    found = order(SOURCE)
    way = ["store.contents", "store.parts", "store.local", "store.hub", "store.checkpoint"]
    assert sorted(way, key=found.index) == way


def test_this_test_can_fail(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.py").write_text("from surgery.store import b")
    (tmp_path / "store" / "b.py").write_text("def f():\n    from surgery.store.a import x")
    with pytest.raises(CycleError):
        order(tmp_path)
