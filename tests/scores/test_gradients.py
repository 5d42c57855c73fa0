"""Sums of gradients: of the wanted weights alone, in single precision, one at a time."""

from __future__ import annotations

import pytest
import torch

from surgery.errors import UsageError
from surgery.model import DiffusersModel
from surgery.scores.gradients import Sums, collecting

from .conftest import SITES


def loss(model: DiffusersModel) -> torch.Tensor:
    latents = model.noise([0, 1])
    return (
        model.predict(latents, model.timesteps(2)[0], model.encode(["a ball", ""])).square().sum()
    )


def test_gradients_of_several_backwards_are_added_up(model: DiffusersModel) -> None:
    sums = Sums.of(model, SITES)
    with collecting(model, sums):
        for _ in range(3):
            loss(model).backward()
            assert all(one.grad is None for one in model.denoiser.parameters())
    weight = model.owner(SITES[0]).get_parameter("weight").requires_grad_(True)
    (once,) = torch.autograd.grad(loss(model), weight)
    weight.requires_grad_(False)
    torch.testing.assert_close(sums.sums[SITES[0]], 3 * once)


def test_squares_are_taken_before_they_are_added(model: DiffusersModel) -> None:
    plain, squared = Sums.of(model, SITES), Sums.of(model, SITES, squared=True)
    for sums, often in ((plain, 1), (squared, 2)):
        with collecting(model, sums):
            for _ in range(often):
                loss(model).backward()
    for site in SITES:
        torch.testing.assert_close(squared.sums[site], 2 * plain.sums[site].square())


def test_half_precision_adds_up_in_single() -> None:
    weight = torch.nn.Parameter(torch.ones(2, dtype=torch.float16))
    sums = Sums({"w": weight}, False, {"w": torch.zeros(2)})
    for _ in range(5000):
        sums.add("w", torch.full((2,), 1.0, dtype=torch.float16))
    assert sums.sums["w"].tolist() == [5000, 5000]


def test_each_sum_is_weighed_by_its_weight() -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0, -3.0]))
    ones = {"w": torch.ones(2)}
    assert Sums({"w": weight}, False, dict(ones)).times_weight(0.5)["w"].tolist() == [1.0, -1.5]
    again = {"w": torch.ones(2)}
    assert Sums({"w": weight}, True, again).times_weight(0.5)["w"].tolist() == [2.0, 4.5]


def test_gradients_are_found_where_none_were_to_be_kept(model: DiffusersModel) -> None:
    sums = Sums.of(model, SITES[:1])
    with torch.no_grad(), collecting(model, sums):
        loss(model).backward()
    assert sums.sums[SITES[0]].abs().sum() > 0


def test_a_gradient_that_was_there_is_left_alone(model: DiffusersModel) -> None:
    weight = model.owner(SITES[0]).get_parameter("weight")
    weight.grad = torch.ones_like(weight)
    with collecting(model, Sums.of(model, SITES)):
        loss(model).backward()
    assert weight.grad is not None
    assert weight.grad.sum() == weight.numel()
    weight.grad = None


def test_checkpointing_computes_blocks_twice(model: DiffusersModel) -> None:
    calls = []
    handle = model.owner(SITES[0]).register_forward_hook(lambda *_: calls.append(1))
    for on in (False, True):
        with collecting(model, Sums.of(model, SITES), checkpointing=on):
            loss(model).backward()
        calls.append(0)
    handle.remove()
    assert calls == [1, 0, 1, 1, 0]


@pytest.mark.parametrize("site", ["text.mlp.out[0]", "ff.in"])
def test_what_is_no_single_weight_of_the_denoiser_is_refused(
    model: DiffusersModel, site: str
) -> None:
    with pytest.raises(UsageError):
        Sums.of(model, [site])
