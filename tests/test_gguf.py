from __future__ import annotations

from pathlib import Path

from surgery.gguf import GgufAnatomy, gguf_anatomy
from surgery.store.gguf import here
from tests.helpers.gguf import gguf


def test_it_counts_tensors_and_parameters_by_type(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(gguf())
    found = gguf_anatomy(here(tmp_path / "m.gguf"))
    assert (found.architecture, found.format_version, found.tensors) == ("flux", 3, 2)
    assert found.types == {"Q4_K": 512, "BF16": 4}
    assert found.parameters == 516
    assert found.nbytes == len(gguf())


def test_it_survives_json(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(gguf())
    found = gguf_anatomy(here(tmp_path / "m.gguf"))
    assert GgufAnatomy.from_json(found.to_json()) == found
