from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from surgery.cli import main
from tests.helpers.pipelines import write_folder
from tests.helpers.tiny import write_pipeline

Capture = pytest.CaptureFixture[str]
RECIPE = """\
version: 1
name: mine
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: monet, kind: style}]
    preserve_defaults: false
"""
LAYER = "text_encoder.text_model.encoder.layers.0.self_attn.out_proj"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pipeline(tmp_path_factory.mktemp("lora") / "model")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wide enough for factors to be the shorter form of a patch."""
    return write_folder("sd1", tmp_path_factory.mktemp("lora") / "wide")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(RECIPE, encoding="utf-8")


def run(model: Path, *more: str) -> int:
    return main(["lora", "mine.yaml", "--model", str(model), *more])


def test_a_recipe_becomes_a_lora_and_the_page_says_how_to_load_it(
    model: Path, capsys: Capture
) -> None:
    assert run(model, "-o", "lora.safetensors") == 0
    assert set(load_file("lora.safetensors")) == {
        f"{LAYER}.lora_linear_layer.{which}.weight" for which in ("down", "up")
    }
    shown = capsys.readouterr()
    assert LAYER in shown.out
    assert "added to the base, it gives the edited weights to within" in shown.out
    assert 'pipeline.load_lora_weights("lora.safetensors")' in shown.err


def test_other_formats_say_how_they_are_loaded(model: Path, capsys: Capture) -> None:
    assert run(model, "--lora-format", "kohya", "--dtype", "f16", "-o", "k.safetensors") == 0
    assert "models/loras of ComfyUI" in capsys.readouterr().err
    assert run(model, "--lora-format", "peft", "-o", "adapter") == 0
    assert 'PeftModel.from_pretrained(pipeline.text_encoder, "adapter/text_encoder")' in (
        capsys.readouterr().err
    )


def test_quiet_is_the_file_and_json_the_whole_report(model: Path, capsys: Capture) -> None:
    assert run(model, "-o", "lora.safetensors", "--format", "quiet") == 0
    assert capsys.readouterr().out == "lora.safetensors\n"
    assert run(model, "--dry-run", "--format", "quiet") == 0
    assert capsys.readouterr().out == f"{LAYER}\n"
    assert run(model, "--dry-run", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["out"], document["layout"]) == ("lora", None, "sd1")
    assert document["tensors"][0]["relative"] <= document["tensors"][0]["allowed"]


def test_an_output_is_needed_and_never_replaced_unasked(model: Path, capsys: Capture) -> None:
    assert run(model) == 2
    assert "nowhere to write" in capsys.readouterr().err
    Path("lora.safetensors").write_bytes(b"mine")
    assert run(model, "-o", "lora.safetensors") == 2
    assert Path("lora.safetensors").read_bytes() == b"mine"
    assert run(model, "-o", "lora.safetensors", "--force") == 0
    assert len(load_file("lora.safetensors")) == 2


def test_a_missed_gate_stops_the_lora_unless_a_weak_one_is_wanted(
    model: Path, capsys: Capture
) -> None:
    Path("mine.yaml").write_text(f"{RECIPE}expect:\n  leak: {{max: 1e-9}}\n", encoding="utf-8")
    assert run(model, "-o", "lora.safetensors") == 3
    assert "gates failed: leak" in capsys.readouterr().err
    assert not Path("lora.safetensors").exists()
    assert run(model, "-o", "lora.safetensors", "--allow-weak") == 3
    assert len(load_file("lora.safetensors")) == 2
    Path("mine.yaml").write_text(f"{RECIPE}expect:\n  leak: {{max: 1e9}}\n", encoding="utf-8")
    assert run(model, "-o", "lora.safetensors", "--force") == 0


def test_a_patch_file_gives_the_lora_of_its_recipe(wide: Path, capsys: Capture) -> None:
    arguments = ["apply", "mine.yaml", "--model", str(wide), "-o", "edited"]
    assert main([*arguments, "--save-patch", "patch.safetensors"]) == 0
    assert run(wide, "-o", "recipe.safetensors") == 0
    assert main(["lora", "patch.safetensors", "-m", str(wide), "-o", "patch-lora.safetensors"]) == 0
    one, two = load_file("recipe.safetensors"), load_file("patch-lora.safetensors")
    assert one.keys() == two.keys()
    up, down = (f"{LAYER}.lora_linear_layer.{which}.weight" for which in ("up", "down"))
    change = one[up] @ one[down]
    assert abs(two[up] @ two[down] - change).max() < 1e-4 * abs(change).max()


def test_the_model_of_a_patch_is_that_of_its_recipe(wide: Path, capsys: Capture) -> None:
    Path("mine.yaml").write_text(f"{RECIPE}model: {wide}\n", encoding="utf-8")
    assert main(["apply", "mine.yaml", "--save-patch", "patch.safetensors"]) == 0
    assert main(["lora", "patch.safetensors", "-o", "l.safetensors"]) == 0
    assert len(load_file("l.safetensors")) == 2


def test_a_patch_of_another_model_is_refused(wide: Path, tmp_path: Path, capsys: Capture) -> None:
    arguments = ["apply", "mine.yaml", "--model", str(wide), "-o", "edited"]
    assert main([*arguments, "--save-patch", "patch.safetensors"]) == 0
    other = write_pipeline(tmp_path / "other")
    capsys.readouterr()
    assert main(["lora", "patch.safetensors", "-m", str(other), "-o", "l.safetensors"]) == 2
    assert "the patch is for another model" in capsys.readouterr().err
    assert not Path("l.safetensors").exists()
