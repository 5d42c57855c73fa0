from __future__ import annotations

from pathlib import Path

import pytest

from surgery.cli.shelf import find_recipe, shelf
from surgery.errors import RecipeError


def test_the_shelf_holds_the_recipes_of_the_project() -> None:
    assert {"remove_vangogh", "remove_r2d2"} <= set(shelf())
    assert list(shelf()) == sorted(shelf())


def test_a_name_on_the_shelf_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipe("remove_vangogh").is_file()


def test_a_file_comes_before_a_name_on_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("remove_vangogh").write_text("mine", encoding="utf-8")
    assert find_recipe("remove_vangogh") == Path("remove_vangogh")


@pytest.mark.parametrize("text", ["remove_vangog", "recipes/remove_vangog.yaml"])
def test_a_near_miss_is_told_the_right_name(text: str) -> None:
    with pytest.raises(RecipeError, match="did you mean remove_vangogh"):
        find_recipe(text)


@pytest.mark.parametrize("text", ["", "a\0b", "x" * 5000, "qqqq", "\x1b[31m"])
def test_what_is_nowhere_is_an_error_that_says_where_to_look(text: str) -> None:
    with pytest.raises(RecipeError, match="surgery recipe ls") as caught:
        find_recipe(text)
    assert str(caught.value).isprintable()
