"""One tiny random model of every family, written once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgery.model import DiffusersModel, load_model
from tests.helpers.deepfloyd import write_if
from tests.helpers.pipelines import write_folder

FAMILIES = ("sd1", "sd2", "sd2-v", "sdxl", "if")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Family -> diffusers folder; `sd2-v` predicts velocity."""
    root = tmp_path_factory.mktemp("models")
    found = {family: write_folder(family, root / family) for family in ("sd1", "sd2", "sdxl")}
    found["sd2-v"] = write_folder("sd2", root / "sd2-v")
    config = found["sd2-v"] / "scheduler" / "scheduler_config.json"
    said = json.loads(config.read_text("utf-8")) | {"prediction_type": "v_prediction"}
    config.write_text(json.dumps(said), "utf-8")
    return {**found, "if": write_if(root / "if")}


@pytest.fixture(scope="session", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def model(family: str, folders: dict[str, Path]) -> DiffusersModel:
    return load_model(folders[family])
