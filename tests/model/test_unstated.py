"""A denoiser that no file says the kind of is asked: noise comes back, or it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surgery.model import DiffusersModel, load_model
from surgery.model.unstated import decided, echo


def silent(model: DiffusersModel) -> DiffusersModel:
    """The same model as if nothing said what it predicts."""
    own = {key: one for key, one in model.networks.scheduler.items() if key != "prediction_type"}
    return DiffusersModel(replace(model.parts, networks=replace(model.networks, scheduler=own)))


@pytest.fixture(scope="module")
def atelier() -> DiffusersModel:
    return load_model("atelier")


def test_a_model_that_predicts_noise_gives_it_back(atelier: DiffusersModel) -> None:
    assert echo(atelier.parts) > 0.9
    found = decided(silent(atelier).parts).networks
    assert (found.scheduler["prediction_type"], found.side) == ("epsilon", 64)


def test_a_model_that_does_not_predicts_velocity(folders: dict[str, Path]) -> None:
    model = load_model(folders["sd2"])
    assert abs(echo(model.parts)) < 0.3
    found = decided(silent(model).parts).networks
    assert (found.scheduler["prediction_type"], found.side) == ("v_prediction", 96)


def test_what_is_stated_is_not_asked(atelier: DiffusersModel) -> None:
    assert decided(atelier.parts) is atelier.parts
