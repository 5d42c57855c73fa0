from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import ViTForImageClassification

from surgery.errors import CheckpointError
from surgery.judges.classifier import Classifier, load_classifier
from tests.judges.build import random_pictures, write_clip
from tests.judges.classifiers import LABELS, SIDE, write_classifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="module")
def classifier(folder: Path) -> Classifier:
    return load_classifier(folder)


def test_chances_are_those_of_the_model_on_prepared_pictures(
    classifier: Classifier, folder: Path
) -> None:
    pictures = random_pictures(3, SIDE, SIDE)
    model = ViTForImageClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        expected = model(pictures).logits.softmax(1)
    torch.testing.assert_close(classifier.chances(pictures), expected)


def test_pictures_of_any_size_are_read(classifier: Classifier) -> None:
    assert classifier.chances(random_pictures(2, 64, 48)).shape == (2, len(LABELS))


def test_a_concept_is_found_among_the_labels(classifier: Classifier) -> None:
    assert classifier.labels == LABELS
    assert classifier.numbers("van gogh") == (0,)
    assert classifier.numbers("claude monet") == (1,)
    assert classifier.numbers("gog") == ()


def test_it_is_named_by_its_weights(classifier: Classifier, tmp_path: Path) -> None:
    assert classifier.digest == load_classifier(classifier.address).digest
    other = load_classifier(write_classifier(tmp_path / "other", seed=1))
    assert classifier.digest != other.digest


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="'CLIPModel' is no image-classification model"):
        load_classifier(write_clip(tmp_path / "clip"))


def test_missing_weights_are_not_drawn_at_random(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    del tensors["classifier.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"1 tensors are missing, such as 'classifier"):
        load_classifier(folder)


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {
        "model_type": "strange",
        "auto_map": {"AutoModelForImageClassification": "evil.EvilForImageClassification"},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "evil.py").write_text("raise SystemExit('was run')", encoding="utf-8")
    with pytest.raises(CheckpointError, match="transformers cannot load it"):
        load_classifier(folder)
