"""Objectives: which latents go with which times and prompts, and what they are held against."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surgery.model import DiffusersModel
from surgery.scores.objectives import Amplify, Erase, Held, Point

from .conftest import wanted


def walked(
    model: DiffusersModel, objective: Erase | Amplify | Held, steps: int
) -> list[tuple[Point, Tensor]]:
    seen: list[tuple[Point, Tensor]] = []

    def keep(point: Point) -> Tensor:
        with torch.no_grad():
            said = model.predict(point.latents, point.time, point.told)
        seen.append((point, said))
        return said

    for number in range(steps):
        objective.step(number, keep)
    return seen


def test_each_latent_is_asked_at_its_own_time(model: DiffusersModel) -> None:
    """What is asked at are just the latents, and times, that sampling begins its steps with."""
    asked = wanted(along="concept", steps=3)
    times, latents = [], []
    prompts = [source for source, _ in asked.pairs for _ in asked.seeds]
    model.denoise(
        model.encode(prompts),
        [0, 1, 0, 1],
        steps=3,
        guidance=3.0,
        on_step=lambda number, time, here: (times.append(time), latents.append(here.clone())),
    )
    for number, (point, _) in enumerate(walked(model, Erase(model, asked, 16, ()), 3)):
        assert point.time == times[number]
        torch.testing.assert_close(point.latents, latents[number], rtol=1e-4, atol=1e-5)


def test_the_second_half_follows_the_prompt_without_the_concept(model: DiffusersModel) -> None:
    asked = wanted(steps=3)
    last = []
    plain = [target for _, target in asked.pairs for _ in asked.seeds]
    model.denoise(
        model.encode(plain),
        [0, 1, 0, 1],
        steps=3,
        guidance=3.0,
        on_step=lambda number, time, here: last.append(here.clone()),
    )
    point, _ = walked(model, Erase(model, asked, 16, ()), 3)[-1]
    torch.testing.assert_close(point.latents[4:], last[-1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(point.told.states[4:], point.told.states[:4])


def test_erase_holds_the_prediction_against_that_without_the_concept(model: DiffusersModel) -> None:
    asked = wanted(steps=1, seeds=(0,))
    point, said = walked(model, Erase(model, asked, 16, ()), 1)[0]
    plain = model.encode([target for _, target in asked.pairs] * 2)
    with torch.no_grad():
        other = model.predict(point.latents, point.time, plain)
    assert point.share(said) == pytest.approx(float((said - other).square().sum()), rel=1e-4)
    assert point.share(other) == pytest.approx(0, abs=1e-9)


def test_without_guidance_nothing_is_asked_of_the_empty_prompt(model: DiffusersModel) -> None:
    def asked_rows(guidance: float) -> int:
        before = model.evaluations
        walked(model, Erase(model, wanted(along="concept", guidance=guidance), 16, ()), 2)
        return model.evaluations - before

    # Per row and step: the concept and its base, and with guidance the empty prompt.
    assert asked_rows(1.0) == 2 * 4 * 2
    assert asked_rows(3.0) == 2 * 4 * 3


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_amplify_adds_noise_of_just_the_time_and_asks_for_it_back(
    model: DiffusersModel, kind: str
) -> None:
    model.networks.scheduler["prediction_type"] = kind  # type: ignore[index]
    asked = wanted("amplify", steps=2, seeds=(0,))
    objective = Amplify(model, asked, 16, ())
    (first, _), (second, _) = walked(model, objective, 2)
    for point in (first, second):
        kept = model.schedule(2).scheduler.alphas_cumprod[int(point.time)]
        noise = (point.latents - kept.sqrt() * objective.sampling.latents) / (1 - kept).sqrt()
        pictures = objective.sampling.latents
        meant = {
            "epsilon": noise,
            "v_prediction": kept.sqrt() * noise - (1 - kept).sqrt() * pictures,
            "sample": pictures,
        }[kind]
        assert point.share(meant) == pytest.approx(0, abs=1e-3)
        assert point.share(meant + 1) == pytest.approx(-meant.numel(), rel=1e-3)
    assert not torch.equal(first.latents, second.latents)


def test_amplify_paints_the_pictures_of_the_concept(model: DiffusersModel) -> None:
    asked = wanted("amplify", steps=2, seeds=(5,))
    objective = Amplify(model, asked, 16, ())
    walked(model, objective, 2)
    painted = model.denoise(
        model.encode([source for source, _ in asked.pairs]), [5, 5], steps=2, guidance=3.0
    )
    torch.testing.assert_close(objective.sampling.latents, painted, rtol=1e-4, atol=1e-5)


def test_held_takes_signs_at_random_that_differ_from_step_to_step(model: DiffusersModel) -> None:
    asked = wanted(held=("a dog", "a ball"), steps=2, seeds=(0,))
    (first, said), (second, _) = walked(model, Held(model, asked, 16, ()), 2)
    ones = torch.eye(said[0].numel()).view(-1, *said[0].shape)

    def signs(point: Point) -> list[float]:
        empty = torch.zeros_like(said[1])[None]
        return [float(point.share(torch.cat([one[None], empty]))) for one in ones]

    assert set(signs(first)) == {-1.0, 1.0}
    assert signs(first) != signs(second)


def test_the_empty_prompt_is_what_guidance_is_told(model: DiffusersModel) -> None:
    asked = wanted(pairs=(("a ball by monet", ""),), seeds=(0, 1))
    torch.testing.assert_close(
        Erase(model, asked, 16, ()).plain.states, model.empty(4).states, rtol=0, atol=0
    )
