"""Every model is sampled by DDIM without chance, by the constants of its own scheduler."""

from __future__ import annotations

import diffusers
import pytest
import torch

from surgery.errors import CheckpointError, UsageError
from surgery.model.schedule import Ddim, checked

CPU = torch.device("cpu")
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def test_a_step_is_equation_12_of_song() -> None:
    ddim = Ddim.of({**SD, "set_alpha_to_one": False}, 10, CPU, pixels=False)
    latents, said = torch.randn(2, 4, 4, 4), torch.randn(2, 4, 4, 4)
    alphas = ddim.scheduler.alphas_cumprod
    now, after = alphas[ddim.times[0]], alphas[ddim.times[1]]
    picture = (latents - (1 - now).sqrt() * said) / now.sqrt()
    expected = after.sqrt() * picture + (1 - after).sqrt() * said
    assert torch.allclose(ddim.step(said, ddim.times[0], latents), expected, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["PNDMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"]
)
def test_latents_are_not_clipped_where_a_sampler_does_not_speak_of_it(name: str) -> None:
    own = {"_class_name": name, **SD}
    assert Ddim.of(own, 5, CPU, pixels=False).scheduler.config.clip_sample is False
    assert Ddim.of(own, 5, CPU, pixels=True).scheduler.config.clip_sample is True
    theirs = getattr(diffusers, name)(**SD)
    assert torch.equal(
        Ddim.of(own, 5, CPU, pixels=False).scheduler.alphas_cumprod, theirs.alphas_cumprod
    )


def test_thresholds_of_pixel_models_are_kept() -> None:
    own = {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.95}
    config = Ddim.of({**own, "_class_name": "DDPMScheduler"}, 5, CPU, pixels=True).scheduler.config
    assert {key: config[key] for key in own} == own


@pytest.mark.parametrize(
    "config",
    [
        {"_class_name": "FlowMatchEulerDiscreteScheduler"},
        {"_class_name": "EDMEulerScheduler"},
        {"prediction_type": "flow_prediction"},
    ],
)
def test_other_processes_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=r"here: .* cannot be sampled by DDIM"):
        checked(config, "here")


@pytest.mark.parametrize("offset", [0, 1])
def test_as_many_steps_as_the_model_was_trained_for_are_taken_and_no_more(offset: int) -> None:
    own = {**SD, "steps_offset": offset}
    schedule = Ddim.of(own, 1000 - offset, CPU, pixels=False)
    latents = schedule.step(torch.ones(1, 1), schedule.times[0], torch.ones(1, 1))
    assert latents.isfinite().all()
    with pytest.raises(
        UsageError, match=f"1001 steps, and the model takes at most {1000 - offset}"
    ):
        Ddim.of(own, 1001, CPU, pixels=False)


def told(
    kind: str, picture: torch.Tensor, noise: torch.Tensor, alpha: torch.Tensor
) -> torch.Tensor:
    """What a model of a kind says where it is right about both (Salimans & Ho 2022, appendix D)."""
    velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * picture
    return {"epsilon": noise, "sample": picture, "v_prediction": velocity}[kind]


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_a_prediction_tells_the_picture_and_a_jump_keeps_its_noise(kind: str) -> None:
    ddim = Ddim.of({**SD, "prediction_type": kind}, 20, CPU, pixels=False)
    time, later = ddim.times[3], ddim.times[15]
    here, there = (ddim.scheduler.alphas_cumprod[one] for one in (time, later))
    picture, noise = torch.randn(2, 4, 4, 4), torch.randn(2, 4, 4, 4)
    latents = here.sqrt() * picture + (1 - here).sqrt() * noise
    said = told(kind, picture, noise, here)
    assert torch.allclose(ddim.picture(said, time, latents), picture, atol=1e-4)
    expected = there.sqrt() * picture + (1 - there).sqrt() * noise
    assert torch.allclose(ddim.jump(said, time, latents, later), expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_a_jump_to_the_next_time_is_a_step(kind: str) -> None:
    ddim = Ddim.of({**SD, "prediction_type": kind, "steps_offset": 1}, 20, CPU, pixels=False)
    latents, said = torch.randn(2, 4, 4, 4), torch.randn(2, 4, 4, 4)
    for time, after in zip(ddim.times[:-1], ddim.times[1:], strict=True):
        expected = ddim.step(said, time, latents)
        assert torch.allclose(ddim.jump(said, time, latents, after), expected, atol=1e-3)


def test_of_a_picture_that_was_clipped_the_rest_is_noise() -> None:
    ddim = Ddim.of({"beta_schedule": "squaredcos_cap_v2"}, 20, CPU, pixels=True)
    time, later = ddim.times[5], ddim.times[12]
    latents, said = 3 * torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert ddim.picture(said, time, latents).abs().max() == 1
    assert torch.allclose(ddim.jump(said, time, latents, time), latents, atol=1e-5)
    through = ddim.jump(said, time, latents, later)
    here, there = (ddim.scheduler.alphas_cumprod[one] for one in (time, later))
    picture = ddim.picture(said, time, latents)
    left = [
        (x - alpha.sqrt() * picture) / (1 - alpha).sqrt()
        for x, alpha in ((latents, here), (through, there))
    ]
    assert torch.allclose(*left, atol=1e-4)


def test_noise_is_mixed_in_at_times_of_their_own() -> None:
    ddim = Ddim.of(SD, 10, CPU, pixels=False)
    latents, noise = torch.randn(2, 3, 4, 8, 8)
    times = torch.tensor([0, 500, 999])
    alphas = ddim.scheduler.alphas_cumprod[times][:, None, None, None]
    mixed = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise
    assert torch.allclose(ddim.noised(latents, noise, times), mixed, atol=1e-5)
    assert ddim.length == 1000


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_a_model_that_says_what_is_wanted_speaks_of_the_picture(kind: str) -> None:
    ddim = Ddim.of({**SD, "prediction_type": kind}, 10, CPU, pixels=False)
    latents, noise = torch.randn(2, 1, 4, 8, 8)
    time = ddim.times[4]
    mixed = ddim.noised(latents, noise, time[None])
    said = ddim.wanted(latents, noise, time[None])
    assert torch.allclose(ddim.picture(said, time, mixed), latents, atol=1e-3)
