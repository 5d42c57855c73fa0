"""The compiled layouts say what the YAML says, and a YAML file that changed is parsed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.layouts import compiled
from surgery.layouts.compiled import COMPILED, HERE, read_yaml


def test_the_compiled_layouts_are_those_of_the_yaml_files() -> None:
    assert COMPILED.read_text(encoding="utf-8") == compiled.compiled(), (
        "run python tests/refresh_docs.py"
    )


def test_a_changed_or_new_file_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sd1.yaml").write_text("family: {24: 23}\n")
    monkeypatch.setattr(compiled, "HERE", tmp_path)
    assert read_yaml(tmp_path / "sd1.yaml") == {"family": {24: 23}}


def test_what_is_compiled_is_what_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    path = HERE / "sdxl-sgm.yaml"
    ready = read_yaml(path)
    monkeypatch.setattr(compiled, "_compiled", dict)
    assert read_yaml(path) == ready
