from __future__ import annotations

import difflib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surgery.cli import main
from surgery.edits.uce import Uce
from surgery.recipe import load_recipe

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
GRID = ("--grid", "ridge=0.1,0.0001", "--grid", "positions=last,eos")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "recipes" / "uce_vangogh.yaml").read_text(encoding="utf-8")
    Path("mine.yaml").write_text(text, encoding="utf-8")


def run(*more: str) -> int:
    return main(["tune", "mine.yaml", *more])


def changed(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(True), after.splitlines(True))
    return [line for line in lines if line[0] in "+-"]


def test_the_chosen_settings_are_written_and_every_other_line_stays(capsys: Capture) -> None:
    before = Path("mine.yaml").read_text(encoding="utf-8")
    assert run(*GRID, "--choose", "1", "--write", "--format", "json") == 0
    after = Path("mine.yaml").read_text(encoding="utf-8")
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert changes == {"ridge": 0.1, "positions": "last"}
    lines = changed(before, after)
    assert len(lines) == len(changes)
    for key, value in changes.items():
        assert any(line.startswith("+ ") and f"{key}: {value}" in line for line in lines)
    (edit,) = load_recipe("mine.yaml").edits
    assert {key: getattr(edit, key) for key in changes} == changes
    assert [path.name for path in Path().iterdir()] == ["mine.yaml"]


def test_the_page_shows_the_front_and_what_to_do_next(capsys: Capture) -> None:
    assert run(*GRID, "-o", "tuned.yaml") == 0
    shown = capsys.readouterr()
    assert "4 points of uce_vangogh on atelier" in shown.out or "5 points" in shown.out
    assert "The front, from least drift to least leak" in shown.out
    assert "farthest below the line" in shown.out
    assert "@" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 140
    assert "surgery apply tuned.yaml" in shown.err
    assert isinstance(load_recipe("tuned.yaml").edits[0], Uce)


def test_the_chart_is_drawn(capsys: Capture) -> None:
    assert run(*GRID, "--png", "front.png") == 0
    pixels = np.asarray(Image.open("front.png").convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
    assert "wrote front.png" in capsys.readouterr().err


def test_a_dry_run_shows_the_grid_and_writes_nothing(capsys: Capture) -> None:
    assert run(*GRID, "--dry-run", "--png", "x.png", "-o", "x.yaml") == 0
    shown = capsys.readouterr().out
    assert "ridge" in shown and "0.1, 0.0001" in shown
    assert "dry run: nothing was solved" in shown
    assert [path.name for path in Path().iterdir()] == ["mine.yaml"]


def test_a_dry_run_as_json_lists_every_point(capsys: Capture) -> None:
    assert run(*GRID, "--dry-run", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == "grid"
    assert {"ridge": 0.1, "positions": "last"} in document["points"]


def test_quiet_prints_the_chosen_settings_alone(capsys: Capture) -> None:
    assert run("--grid", "ridge=0.1", "--choose", "1", "--format", "quiet") == 0
    shown = capsys.readouterr()
    assert shown.out == "ridge=0.1\n"
    assert shown.err == ""


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--grid", "rigde=1"), "did you mean 'ridge'?"),
        (("--grid", "ridge="), "names an empty value"),
        (("--grid", "ridge=-1"), "must be greater than 0"),
        (("--edit", "4"), "has no edit 4"),
        (("--choose", "best"), "chooses no point"),
        (("--write", "-o", "x.yaml"), "--write and --out together"),
        (("-o", "mine.yaml"), "already there"),
        (("--png", "no/where.png"), "its folder does not exist"),
    ],
)
def test_a_mistake_is_one_line_before_any_work(
    words: tuple[str, ...], problem: str, capsys: Capture
) -> None:
    before = Path("mine.yaml").read_bytes()
    assert run(*words) == 2
    shown = capsys.readouterr()
    assert problem in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert Path("mine.yaml").read_bytes() == before


def test_a_recipe_of_the_shelf_stays_as_it_is(capsys: Capture) -> None:
    assert main(["tune", "uce_vangogh", "--write"]) == 2
    assert "comes with surgery" in capsys.readouterr().err


def test_a_recipe_that_is_best_as_it_is_stays_so(capsys: Capture) -> None:
    before = Path("mine.yaml").stat()
    assert run("--grid", "ridge=0.1", "--choose", "0", "--write") == 0
    assert "stays as it is" in capsys.readouterr().err
    assert Path("mine.yaml").stat().st_ino == before.st_ino


def test_a_byte_order_mark_and_line_ends_are_kept(capsys: Capture) -> None:
    text = Path("mine.yaml").read_text(encoding="utf-8")
    raw = ("\ufeff" + text.replace("\n", "\r\n")).encode()
    Path("mine.yaml").write_bytes(raw)
    assert run("--grid", "ridge=0.1", "--choose", "1", "--write") == 0
    after = Path("mine.yaml").read_bytes()
    assert after == raw.replace(b"- method: uce\r\n", b"- method: uce\r\n    ridge: 0.1\r\n")


def test_a_file_beside_the_recipe_must_be_beside_its_copy_too(capsys: Capture) -> None:
    Path("names.txt").write_text("van gogh\nmonet\n", encoding="utf-8")
    text = Path("mine.yaml").read_text(encoding="utf-8")
    text = text.replace(
        "concepts:\n      - {erase: van gogh, target: painting, kind: style}",
        "concepts: {from: names.txt, target: painting}",
    )
    Path("mine.yaml").write_text(text, encoding="utf-8")
    Path("far").mkdir()
    words = ("--grid", "ridge=0.1", "--choose", "1")
    assert run(*words, "-o", "far/x.yaml") == 2
    assert "there is no file names.txt" in capsys.readouterr().err
    assert list(Path("far").iterdir()) == []
    assert run(*words, "-o", "near.yaml") == 0
    assert "from: names.txt" in Path("near.yaml").read_text(encoding="utf-8")
