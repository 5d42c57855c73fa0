from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from surgery.cli import main
from tests.cli.test_apply import CHANGED, contents, recipe
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("patch") / "model")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save(model: Path, tmp_path: Path, *more: str) -> list[str]:
    return ["apply", recipe(tmp_path), "-m", str(model), "--save-patch", "p.safetensors", *more]


def names(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()} - {"mine.yaml"}


def test_a_patch_alone_writes_no_model_and_says_what_to_do_with_it(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(save(model, tmp_path)) == 0
    shown = capsys.readouterr()
    assert names(tmp_path) == {"p.safetensors"}
    assert "wrote p.safetensors" in shown.err
    assert f"surgery patch apply p.safetensors {model} -o PATCHED" in shown.err
    assert main(save(model, tmp_path)) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(save(model, tmp_path, "--force", "--format", "quiet")) == 0
    assert capsys.readouterr().out == "p.safetensors\n"


def test_a_patch_and_a_model_in_one_go_and_the_way_there_and_back(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(save(model, tmp_path, "-o", "edited", "--format", "json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["out"], document["patch"]) == ("edited", "p.safetensors")
    assert document["patch_bytes"] == (tmp_path / "p.safetensors").stat().st_size
    assert main(["patch", "apply", "p.safetensors", str(model), "-o", "again"]) == 0
    assert "the way back" in capsys.readouterr().err
    assert contents(tmp_path / "again") == contents(tmp_path / "edited")
    assert main(["patch", "undo", "p.safetensors", "again", "-o", "back"]) == 0
    assert "every byte is as recorded" in capsys.readouterr().err
    assert contents(tmp_path / "back") == contents(model)
    assert main(["patch", "make", str(model), "edited", "-o", "made.safetensors"]) == 0
    assert "wrote made.safetensors" in capsys.readouterr().err
    assert main(["patch", "undo", "made.safetensors", "edited", "-o", "first"]) == 0
    assert contents(tmp_path / "first") == contents(model)


def test_what_a_patch_holds_is_shown(model: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(save(model, tmp_path, "--format", "quiet")) == 0
    capsys.readouterr()
    assert main(["patch", "show", "p.safetensors"]) == 0
    shown = capsys.readouterr().out
    assert "a patch of the recipe mine: changes 1 tensor" in shown
    assert CHANGED in shown
    assert all(len(line) <= 120 for line in shown.splitlines())
    assert main(["patch", "show", "p.safetensors", "--format", "quiet"]) == 0
    assert capsys.readouterr().out == f"{CHANGED}\n"
    assert main(["patch", "show", "p.safetensors", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["version"], document["action"]) == ("patch", 1, "show")
    assert document["tensors"][0]["name"] == CHANGED


def test_a_dry_run_checks_and_writes_nothing(model: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(save(model, tmp_path, "--dry-run")) == 0
    assert "nothing was written" in capsys.readouterr().err
    assert names(tmp_path) == set()
    assert main(save(model, tmp_path)) == 0
    assert main(["patch", "apply", "p.safetensors", str(model), "--dry-run"]) == 0
    assert "every changed tensor matches" in capsys.readouterr().err
    assert main(["patch", "undo", "p.safetensors", str(model), "--dry-run"]) == 2
    assert "it is the base" in capsys.readouterr().err
    assert names(tmp_path) == {"p.safetensors"}


def test_a_missed_gate_keeps_no_patch_unless_weak_ones_are_allowed(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    weak = recipe(tmp_path, strength=0.05, limit=0.0001)
    words = ["apply", weak, "-m", str(model), "--save-patch", "p.safetensors"]
    assert main(words) == 3
    assert "nothing was written" in capsys.readouterr().err
    assert names(tmp_path) == set()
    assert main([*words, "--allow-weak"]) == 3
    assert names(tmp_path) == {"p.safetensors"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--preview"], "--preview and --save-patch without --out"),
        (["--in-place", "--undo-file", "u"], "--in-place and --save-patch together"),
        (["-o", "p.safetensors"], "--out and --save-patch name one place"),
        (["--save-patch", "none/p.safetensors"], "does not exist"),
        (["--save-patch", "mine.yaml", "--force"], "what is there is no patch"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_solved(
    more: list[str], said: str, model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(save(model, tmp_path, *more)) == 2
    assert said in capsys.readouterr().err
    assert names(tmp_path) == set()


def test_a_recipe_that_changes_nothing_gives_no_patch(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["-m", str(model), "--save-patch", "p.safetensors"]
    assert main(["apply", recipe(tmp_path, strength=0.0), *words]) == 2
    assert "there is no patch to keep" in capsys.readouterr().err


def test_mistakes_end_as_one_line(model: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["patch", "apply", "none", str(model), "-o", "x"]) == 2
    assert main(["patch", "apply", "mine.yaml", str(model)]) == 2
    assert main(save(model, tmp_path)) == 0
    capsys.readouterr()
    for words, said in (
        (["apply", "p.safetensors", str(model)], "nowhere to write"),
        (["apply", "p.safetensors", "atelier", "-o", "x"], "the patch is for another model"),
        (
            ["apply", "p.safetensors", str(model), "-o", "p.safetensors", "--force"],
            "the output is the patch itself",
        ),
        (["make", str(model), str(model), "-o", "q"], "nothing to keep"),
        (["make", str(model), "atelier", "-o", "q"], "the two models have other tensors"),
        (["make", str(model), "atelier", "-o", "p.safetensors"], "exists already"),
    ):
        assert main(["patch", *words]) == 2
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1
    assert names(tmp_path) == {"p.safetensors"}


def test_a_patch_is_used_without_the_model_libraries(model: Path, tmp_path: Path) -> None:
    assert main(save(model, tmp_path)) == 0
    code = f"""
import sys
from surgery.cli import main
assert main(["patch", "apply", "p.safetensors", {str(model)!r}, "-o", "out"]) == 0
assert not {{"torch", "transformers", "diffusers", "huggingface_hub"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
