from __future__ import annotations

import os
from pathlib import Path

import pytest

from surgery.errors import RecipeError
from surgery.recipe import load_recipe
from surgery.report import ProbeReport, Score

LIST = "concepts: {from: NAME, kind: style, target: art}"
SITES = "concepts: [{erase: monet}]\n    where: {from: NAME, top: 2}"
SCORES = {"cross_attn.{k,v}[0:2]": 0.9, "cross_attn.{k,v}[2:4]": 0.1, "cross_attn.{k,v}[6:8]": 0.3}


def write(folder: Path, said: str, name: str) -> Path:
    path = folder / "r.yaml"
    said = said.replace("NAME", name)
    path.write_text(f"version: 1\nname: r\nedits:\n  - method: locoedit\n    {said}\n")
    return path


def report(best: str = "least") -> ProbeReport:
    scores = tuple(Score(site, mean, 0.1, 4) for site, mean in SCORES.items())
    return ProbeReport("some", "locogen", "monet", "painting", best, scores)  # type: ignore[arg-type]


def where(path: Path) -> object:
    (edit,) = load_recipe(path).edits
    return edit.model_dump()["where"]


def test_the_best_places_of_a_report_become_a_plain_selector(tmp_path: Path) -> None:
    (tmp_path / "probe.json").write_text(report().to_json())
    path = write(tmp_path, SITES, "probe.json")
    assert where(path) == "cross_attn.{k,v}[2:4], cross_attn.{k,v}[6:8]"
    (tmp_path / "probe.json").write_text(report("most").to_json())
    assert where(path) == "cross_attn.{k,v}[0:2], cross_attn.{k,v}[6:8]"


def test_one_place_is_taken_where_nothing_says_how_many(tmp_path: Path) -> None:
    (tmp_path / "probe.json").write_text(report().to_json())
    assert where(write(tmp_path, SITES.replace(", top: 2", ""), "probe.json")) == (
        "cross_attn.{k,v}[2:4]"
    )


def test_files_are_found_beside_the_recipe_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "lists" / "a.txt").write_text("monet\n")
    path = write(tmp_path, LIST, "lists/a.txt")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(load_recipe(path).edits) == 1
    assert len(load_recipe(Path("../r.yaml")).edits) == 1


@pytest.mark.parametrize("name", ["../secret.txt", "link.txt", "/etc/hostname"])
def test_a_recipe_does_not_reach_outside_its_folder(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.txt").write_text("monet\n")
    (home / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.chdir(home)
    with pytest.raises(RecipeError, match="outside the recipe's folder") as caught:
        load_recipe(write(home, LIST, name))
    assert "monet" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "name", "message"),
    [
        (LIST, "none.txt", "r.yaml:5: edits[0].concepts.from: there is no file none.txt"),
        (LIST, "folder", "folder is not a regular file"),
        (LIST, "pipe", "pipe is not a regular file"),
        (LIST, "latin.txt", "latin.txt:2: not UTF-8 text"),
        (LIST, "big.txt", "big.txt holds more than 1,000,000 bytes"),
        (LIST.replace("kind", "kinds"), "a.txt", "concepts.kinds: unknown key; did you mean"),
        (LIST.replace("from: NAME, ", ""), "", "edits[0].concepts.from: names no file"),
        (SITES.replace("2", "0"), "probe.json", "where.top: must be a whole number from 1"),
        (SITES.replace("2", "4"), "probe.json", "the best 4 of 3 places"),
        (SITES, "a.txt", "not a probe report: it is not JSON"),
    ],
)
def test_a_file_that_does_not_serve_is_one_sentence(
    tmp_path: Path, said: str, name: str, message: str
) -> None:
    (tmp_path / "a.txt").write_text("monet\n")
    (tmp_path / "latin.txt").write_bytes(b"monet\nd\xfcrer\n")
    (tmp_path / "big.txt").write_text("monet\n" * 170_000)
    (tmp_path / "probe.json").write_text(report().to_json())
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecipeError) as caught:
        load_recipe(write(tmp_path, said, name))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
