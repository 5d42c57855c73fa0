from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.prediction import prediction
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.tiny import write_pipeline
from tests.store.build import write_file

W = {"model.diffusion_model.out.weight": ("F16", (2, 2))}


def single(folder: Path, marks: dict[str, object] | None = None, **metadata: str) -> Checkpoint:
    path = write_file(folder / "m.safetensors", {**W, **(marks or {})}, metadata)
    return open_checkpoint(path)


def folder(root: Path, **config: object) -> Checkpoint:
    path = write_pipeline(root / "m") / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps(config))
    return open_checkpoint(root / "m")


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"prediction_type": "v_prediction"}, "v_prediction"),
        ({"prediction_type": "epsilon"}, "epsilon"),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
        ({"_class_name": "DDIMScheduler"}, "epsilon"),
        ({"prediction_type": "\x1b[31m"}, "\\u001b[31m"),
        ({"prediction_type": 7, "_class_name": 8}, "epsilon"),
    ],
)
def test_a_folder_says_it_in_its_scheduler(
    tmp_path: Path, config: dict[str, object], kind: str
) -> None:
    found = prediction(folder(tmp_path, **config), "sd2")
    assert found.startswith(f"{kind} (") and "scheduler_config.json" in found


def test_a_mark_tensor_says_it(tmp_path: Path) -> None:
    marks = {"v_pred": ("F32", (0,)), "ztsnr": ("F32", (0,))}
    found = prediction(single(tmp_path, marks), "sdxl")
    assert found == "v_prediction (the tensor v_pred, zero terminal SNR)"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("modelspec.prediction_type", "v"),
        ("modelspec.architecture", "stable-diffusion-v2-768-v"),
        ("ss_v_parameterization", "True"),
    ],
)
def test_metadata_says_it(tmp_path: Path, key: str, value: str) -> None:
    found = prediction(single(tmp_path, **{key: value}), "sd2")
    assert found == f"v_prediction ({key})"


def test_a_family_of_one_kind_says_it_and_a_mixed_one_does_not(tmp_path: Path) -> None:
    checkpoint = single(tmp_path)
    assert prediction(checkpoint, "sd1").startswith("epsilon (as every sd1 model")
    assert prediction(checkpoint, "flux").startswith("flow")
    assert prediction(checkpoint, "sd2") == ""
    assert prediction(checkpoint, None) == ""
