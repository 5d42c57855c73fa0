"""What is known before a picture is painted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from surgery import apply, load_recipe, open_checkpoint
from surgery.errors import RecipeError, UsageError
from surgery.verify.gates import DEFAULTS
from surgery.verify.plan import carried, kinds, plan
from surgery.verify.wish import Circumstance, Wish
from tests.helpers.tiny import write_pipeline

RECIPE = """
version: 1
name: gone
edits:
  - method: quickfix
    concepts: [{erase: van gogh, target: painting, kind: style}]
    preserve: [hokusai]
expect:
  erased: {max: 0.3}
  kept: {min: 0.5}
"""
GOGH = Wish(concepts=("van gogh",), pictures=3)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("edited") / "gone"
    apply(load_recipe(RECIPE), open_checkpoint("atelier"), out, allow_weak=True)
    return out


def test_the_recipe_that_a_model_carries_says_what_should_be_gone(edited: Path) -> None:
    found = plan("atelier", edited)
    assert found.concepts == ("van gogh",)
    assert found.limits == {**DEFAULTS, "erased": 0.3, "kept": 0.5}
    assert "the recipe is the one that the second model carries" in found.notes
    assert next(one for one in found.sets if one.group == "kept").concept == "hokusai"


def test_a_model_without_a_recipe_needs_a_concept() -> None:
    assert carried(open_checkpoint("atelier")) is None
    with pytest.raises(UsageError, match="nothing says what should be gone"):
        plan("atelier", "atelier")


def test_a_damaged_recipe_in_a_model_is_one_sentence(tmp_path: Path) -> None:
    folder = write_pipeline(tmp_path / "model")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    save_file(load_file(file), file, metadata={"surgery.recipe": "{"})
    with pytest.raises(RecipeError, match=r"surgery\.recipe"):
        carried(open_checkpoint(folder))


def test_the_command_overrides_the_recipe_and_may_drop_a_gate(edited: Path) -> None:
    wish = Wish(limits={"erased": 0.2, "misspellings": None})
    limits = plan("atelier", edited, wish).limits
    assert limits["erased"] == 0.2
    assert "misspellings" not in limits


def test_a_gate_that_is_not_known_is_named() -> None:
    with pytest.raises(UsageError, match=r"no gate 'earsed'.*did you mean 'erased'"):
        plan("atelier", "atelier", Wish(concepts=("van gogh",), limits={"earsed": 0.1}))


def test_every_picture_is_in_one_batch_of_its_own_set() -> None:
    found = plan("atelier", "atelier", Wish(concepts=("van gogh",)))
    asked = [
        (found.sets[number].asks[place].prompt, found.sets[number].asks[place].seed)
        for number, places in found.places
        for place in places
    ]
    painted = [pair for one in found.batches for pair in zip(one.prompts, one.seeds, strict=True)]
    assert asked == painted
    assert found.pictures == 2 * len(asked) == 2 * sum(count for _, _, count in kinds(found))
    assert max(map(len, found.batches)) == 16


@pytest.mark.parametrize("batch", [1, 16, 50])
def test_the_batch_decides_only_how_batches_are_sent(batch: int) -> None:
    plain = plan("atelier", "atelier", GOGH)
    found = plan("atelier", "atelier", GOGH, Circumstance(batch=batch))
    assert found.batches == plain.batches
    sent = [one for item in found.items() if item.arm == "before" for one in item.batches]
    assert tuple(sent) == found.batches
    places = [one for number in range(len(found.items()) // 2) for one in found.chunk(number)]
    assert tuple(places) == found.places


def test_both_models_are_sampled_as_the_first_says(tmp_path: Path) -> None:
    before, after = write_pipeline(tmp_path / "a"), write_pipeline(tmp_path / "b")
    file = after / "scheduler" / "scheduler_config.json"
    said = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(said | {"prediction_type": "v_prediction"}), encoding="utf-8")
    wish = Wish(concepts=("van gogh",), pictures=1)
    found = plan(before, after, wish)
    assert json.loads(found.painting.scheduler)["prediction_type"] == "epsilon"
    assert any("another scheduler (prediction_type)" in note for note in found.notes)
    assert not any("scheduler" in note for note in plan(before, before, wish).notes)


def test_items_find_their_models_from_any_folder(
    edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(edited.parent)
    first, second = plan("atelier", "gone", GOGH).items()[:2]
    assert first.model == "atelier"
    assert Path(second.model) == edited


def test_what_is_painted_suits_the_model(tmp_path: Path) -> None:
    own = plan("atelier", "atelier", GOGH)
    assert (own.vocabulary, own.painting.steps, own.guidance) == ("atelier", 20, 3.0)
    folder = write_pipeline(tmp_path / "model")
    other = plan(folder, folder, Wish(concepts=("van gogh",), steps=4))
    assert (other.vocabulary, other.painting.steps, other.guidance) == ("world", 4, 7.5)
