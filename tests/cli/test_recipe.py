from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from surgery.cli import main
from surgery.cli.shelf import shelf
from surgery.edits.base import Kind
from surgery.recipe import load_recipe
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]


def test_ls_names_every_recipe_in_every_format(capsys: Capture) -> None:
    assert main(["recipe", "ls", "--format", "quiet"]) == 0
    assert capsys.readouterr().out.split() == list(shelf())
    assert main(["recipe", "ls", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in document["recipes"]] == list(shelf())
    assert {"kind", "version"} <= document.keys()


def test_ls_says_what_each_recipe_does(capsys: Capture) -> None:
    main(["recipe", "ls"])
    text = capsys.readouterr().out
    for path in shelf().values():
        assert load_recipe(path).description in text


def test_show_prints_the_file_so_that_it_can_be_saved(capsys: Capture) -> None:
    assert main(["recipe", "show", "remove_vangogh"]) == 0
    text = shelf()["remove_vangogh"].read_text(encoding="utf-8")
    assert capsys.readouterr().out == text


def test_new_writes_a_recipe_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    words = "recipe new mine --erase monet --erase seurat --target painting --preserve escher"
    assert main(words.split()) == 0
    recipe = load_recipe(Path("mine.yaml"))
    assert recipe.name == "mine"
    text = Path("mine.yaml").read_text(encoding="utf-8")
    assert all(word in text for word in ("monet", "seurat", "painting", "escher"))
    shown = capsys.readouterr()
    assert "mine.yaml" in shown.out
    assert "surgery apply mine.yaml" in shown.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("new bad/name --erase monet", "name"),
        ("new mine --erase monet --target monet", "monet"),
        ("new mine --erase monet --kind person", "person"),
        ("new mine --erase x --kind fact", "fact"),
        ("new mine", "--erase"),
        ("new mine --erase monet -o no/such/folder.yaml", "no/such/folder.yaml"),
    ],
)
def test_new_refuses_what_makes_no_recipe_and_writes_nothing(
    words: str,
    part: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["recipe", *words.split()]) == 2
    assert part in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_new_replaces_a_file_only_when_told(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("precious", encoding="utf-8")
    words = ["recipe", "new", "mine", "--erase", "monet", "-o", str(path)]
    assert main(words) == 2
    assert "--force" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "precious"
    assert main([*words, "--force"]) == 0
    assert load_recipe(path).name == "mine"


def test_new_offers_the_kinds_that_recipes_have() -> None:
    from surgery.cli import recipe

    options = get_args(recipe.new.__annotations__["kind"]) or recipe.new.__annotations__["kind"]
    assert all(kind in str(options) for kind in get_args(Kind))


def test_check_says_which_line_is_wrong(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("version: 1\nname: bad\nedits: []\nedit: []\n", encoding="utf-8")
    assert main(["recipe", "check", str(path)]) == 2
    text = capsys.readouterr().err
    assert "bad.yaml:4: edit" in text
    assert "edits" in text


def test_check_plans_the_recipe_against_a_model(tmp_path: Path, capsys: Capture) -> None:
    model = write_pipeline(tmp_path / "model")
    assert main(["recipe", "check", "remove_vangogh", "--model", str(model)]) == 0
    assert f"fits {model}" in capsys.readouterr().out


def test_schema_is_json_schema(capsys: Capture) -> None:
    assert main(["recipe", "schema"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"version", "name", "edits"} <= document["properties"].keys()
