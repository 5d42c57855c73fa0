from __future__ import annotations

import time
from pathlib import Path

import pytest

from surgery.concept_list import MAX_NAMES, read_concepts
from surgery.errors import RecipeError
from surgery.recipe import load_recipe

RECIPE = """\
version: 1
name: many
edits:
  - method: uce
    concepts: {{from: {name}, kind: style, target: art}}
"""


def recipe(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    path = folder / "many.yaml"
    path.write_text(RECIPE.format(name=name), encoding="utf-8")
    return path


def erased(path: Path) -> list[tuple[str, str, str]]:
    (edit,) = load_recipe(path).edits
    return [(one["erase"], one["target"], one["kind"]) for one in edit.model_dump()["concepts"]]


def test_a_text_file_names_a_concept_on_each_line(tmp_path: Path) -> None:
    path = recipe(tmp_path, "artists.txt", "# painters\nvan gogh\n\n  claude monet \r\n")
    assert erased(path) == [("van gogh", "art", "style"), ("claude monet", "art", "style")]


def test_a_table_may_say_target_and_kind_for_itself(tmp_path: Path) -> None:
    table = 'kind,Concept,target\n,van gogh,\nobject,"r2d2, the droid",a star\n'
    path = recipe(tmp_path, "list.csv", table)
    assert erased(path) == [("van gogh", "art", "style"), ("r2d2, the droid", "a star", "object")]


def test_a_recipe_that_was_loaded_needs_its_list_no_more(tmp_path: Path) -> None:
    path = recipe(tmp_path, "artists.txt", "van gogh\nmonet\n")
    loaded = load_recipe(path)
    (tmp_path / "artists.txt").unlink()
    assert load_recipe(loaded.to_json() + "\n") == loaded
    assert load_recipe(loaded.dump()) == loaded


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "van gogh\n!!!\n", "a.txt:2: '!!!' has no word"),
        ("a.txt", "van gogh\nmonet\nVan  Gogh\n", "a.txt:3: 'Van  Gogh' stands on line 1 too"),
        ("a.txt", f"monet\n{'x' * 201}\n", "a.txt:2: a name of 201 letters"),
        ("a.txt", "monet\nva\x1bn\n", r"a.txt:2: 'va\u001bn' holds control characters"),
        ("a.txt", "\n# nothing\n", "a.txt: the list names no concept"),
        (
            "a.csv",
            "concept,tagret\nmonet,art\n",
            "a.csv:1: unknown column 'tagret'; did you mean 'target'",
        ),
        ("a.csv", "target\nart\n", "a.csv:1: the header needs one column 'concept'"),
        ("a.csv", "concept,kind\nmonet,style\nr2d2\n", "a.csv:3: 1 fields, where the header has 2"),
        ("a.csv", 'concept\n"monet\n', "a.csv:2: not a CSV table"),
        ("a.csv", "concept,kind\nmonet,stile\n", "a.csv:2: edits[0].concepts[0].kind: must be"),
        ("a.csv", "concept,target\nmonet,a\nklee,Klee\n", "a.csv:3: edits[0].concepts[1]: target"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe(tmp_path, name, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_has_a_size() -> None:
    with pytest.raises(RecipeError, match="at most 10,000 concepts"):
        read_concepts("".join(f"name{n}\n" for n in range(MAX_NAMES + 1)), ".txt", "a.txt")


def test_the_list_of_the_paper_loads_within_two_seconds(tmp_path: Path) -> None:
    names = "".join(f"artist number {n}\n" for n in range(1734))
    path = recipe(tmp_path, "artists.txt", names)
    began = time.process_time()
    loaded = load_recipe(path)
    assert load_recipe(loaded.to_json() + "\n") == loaded
    assert time.process_time() - began < 2
    assert len(erased(path)) == 1734
