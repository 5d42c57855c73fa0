"""Scores are taken along the very sampling that paints, each latent with its own time."""

from __future__ import annotations

import pytest
import torch

from surgery.hooks import Hook
from surgery.model import DiffusersModel
from surgery.scores.trajectory import Moment, moments
from tests.helpers.probing import FAMILIES, model

PROMPTS, SEEDS = ("a star by van gogh", "a ball"), (3, 8)


@pytest.fixture(params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> DiffusersModel:
    return model(request.param)


def walked(loaded: DiffusersModel, guidance: float, **more: object) -> list[Moment]:
    told = loaded.encode(PROMPTS)
    return list(moments(loaded, told, SEEDS, steps=3, guidance=guidance, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_every_moment_is_one_of_the_painting(loaded: DiffusersModel, guidance: float) -> None:
    seen: list[tuple[int, torch.Tensor, torch.Tensor]] = []
    told = loaded.encode(PROMPTS)
    loaded.denoise(
        told, SEEDS, steps=3, guidance=guidance, on_step=lambda *one: seen.append((*one,))
    )
    for moment, (number, time, latents) in zip(walked(loaded, guidance), seen, strict=True):
        assert (moment.number, int(moment.time)) == (number, int(time))
        assert torch.equal(moment.latents, latents)


def test_the_first_moment_is_pure_noise_at_the_first_time(loaded: DiffusersModel) -> None:
    first = walked(loaded, 3.0, last=1)
    assert len(first) == 1
    assert torch.equal(first[0].latents, loaded.noise(SEEDS))
    assert int(first[0].time) == int(loaded.timesteps(3)[0])


def test_hooks_see_the_prompts_rows_alone(loaded: DiffusersModel) -> None:
    rows: list[int] = []

    def note(output: torch.Tensor) -> torch.Tensor:
        rows.append(len(output))
        return output

    walked(loaded, 3.0, hooks=[Hook(loaded.modules("cross_attn")[0], "output", note)])
    assert rows == [2, 2, 2]
