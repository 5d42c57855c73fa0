"""`surgery apply --tokenizer`: a single file that comes without a tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from surgery.cli import main
from tests.helpers.pipelines import write_single
from tests.helpers.tiny import write_tokenizer

RECIPE = """version: 1
name: tiny
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: painting}]
    preserve_defaults: false
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Everything but the tokenizer."""
    model = write_single("sd1", tmp_path / "models" / "m.safetensors")
    shutil.rmtree(model.parent / "tokenizer")
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(RECIPE, encoding="utf-8")
    return ["apply", str(recipe), "-m", str(model), "-o", str(tmp_path / "out.safetensors")]


def test_the_named_tokenizer_is_used(words: list[str], tmp_path: Path) -> None:
    given = write_tokenizer(tmp_path / "given")
    assert main([*words, "--tokenizer", str(given)]) == 0
    assert (tmp_path / "out.safetensors").exists()


def test_without_one_the_option_is_named_and_nothing_is_written(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "--tokenizer" in capsys.readouterr().err
    assert not (tmp_path / "out.safetensors").exists()
