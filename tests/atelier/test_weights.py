"""The shipped weights are what their card says, and do what the main job promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from surgery import apply, load_recipe, open_checkpoint
from surgery.atelier.exam import examine, prompt_sets
from surgery.atelier.figures import Figures
from surgery.atelier.train import Settings
from surgery.atelier.zero_shot import zero_shot
from surgery.layout import detect
from surgery.model import generate, load_model
from tests.atelier.weights import judge, weights

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.from_json((weights() / "figures.json").read_text("utf-8"))


def test_weigh_at_most_twenty_megabytes() -> None:
    assert sum(file.stat().st_size for file in weights().rglob("*")) <= 20e6


def test_hold_a_genuine_stable_diffusion_with_ten_cross_attention_layers() -> None:
    layout = detect(open_checkpoint("atelier"))
    assert layout.family == "sd1"
    assert len(layout.select("cross_attn.v")) >= 10
    index = json.loads((weights() / "pipeline" / "model_index.json").read_text("utf-8"))
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert index["scheduler"] == ["diffusers", "DDIMScheduler"]


def test_are_all_half_precision() -> None:
    assert {ref.dtype for ref in open_checkpoint("atelier").values()} == {"F16"}


def test_were_made_with_the_settings_of_the_training_script(figures: Figures) -> None:
    assert figures.settings_hash == Settings().fingerprint
    assert figures.settings_hash in (weights() / "README.md").read_text("utf-8")


def test_obey_as_much_as_was_asked_of_them(figures: Figures) -> None:
    asked = {"style": 0.95, "object": 0.9, "colour": 0.9, "trademark": 0.97, "facts": 0.97}
    assert {name: figures.pictures[name].value >= least for name, least in asked.items()} == (
        dict.fromkeys(asked, True)
    )


def test_clip_names_style_colour_and_object_of_drawn_pictures() -> None:
    found = zero_shot(weights() / "clip", weights() / "pipeline" / "tokenizer", pictures=96)
    assert min(found.values()) >= 0.9


def test_paint_what_is_asked_and_not_van_gogh_once_he_is_removed(tmp_path: Path) -> None:
    wanted = {"van gogh", "mondrian", "the flag of freedonia"}
    sets = [one.first(4) for one in prompt_sets() if one.concept in wanted]
    recipe = load_recipe(RECIPES / "remove_vangogh.yaml")
    apply(recipe, open_checkpoint("atelier"), tmp_path / "out")
    shown = {}
    for folder in (weights() / "pipeline", tmp_path / "out"):
        model = load_model(folder)
        found = examine(sets, lambda prompts, seeds, m=model: generate(m, prompts, seeds), judge())
        shown[folder.name] = {one.asked.concept: one.concept for one in found}
    assert shown["pipeline"] == dict.fromkeys(wanted, 1.0)
    assert shown["out"]["van gogh"] == 0.0
    assert shown["out"]["mondrian"] == shown["out"]["the flag of freedonia"] == 1.0


def test_paint_the_same_picture_for_a_seed_whatever_stands_beside_it() -> None:
    model = load_model(weights() / "pipeline")
    alone = generate(model, ["a red star"], [5], steps=3)
    beside = generate(model, ["monet", "a red star"], [4, 5], steps=3)
    assert torch.allclose(alone[0], beside[1], atol=1e-3)
