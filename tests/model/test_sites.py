"""Modules come by kind, in the order in which a forward pass meets them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from surgery.hooks import Hook, intervene
from surgery.model import DiffusersModel

DENOISER = ("cross_attn", "self_attn", "ff", "resnet")
TEXT = ("self_attn", "mlp", "layer", "embedding")


def met(model: DiffusersModel, modules: tuple[nn.Module, ...]) -> list[nn.Module]:
    """The modules in the order in which a forward pass finishes them."""
    order: list[nn.Module] = []

    def note(module: nn.Module) -> Hook:
        def change(states: Tensor) -> Tensor:
            order.append(module)
            return states

        return Hook(module, "output", change)

    hooks = [note(module) for module in set(modules)]
    told = model.encode(["a red ball"], hooks)
    with torch.no_grad(), intervene(hooks):
        model.predict(model.noise([1]), model.timesteps(1)[0], told)
    return order


@pytest.mark.parametrize("kind", DENOISER)
def test_modules_of_the_denoiser_come_in_execution_order(
    kind: str, model: DiffusersModel, family: str
) -> None:
    modules = model.modules(kind)
    assert bool(modules) == ((kind, family) != ("ff", "if"))
    assert met(model, modules) == list(modules)


@pytest.mark.parametrize("what", TEXT)
@pytest.mark.parametrize("role", ["text", "text2"])
def test_modules_of_text_towers_come_in_execution_order(
    role: str, what: str, model: DiffusersModel
) -> None:
    modules = model.modules(f"{role}.{what}")
    assert bool(modules) == (role in model.towers)
    assert met(model, modules) == list(modules)
    assert what != "embedding" or len(modules) == (role in model.towers)


def test_cross_attention_is_in_the_order_of_the_layout(model: DiffusersModel) -> None:
    sites = [site for site in model.layout.sites if site.kind == "cross_attn.v"]
    held = [model.denoiser.get_parameter(site.tensor.removeprefix("unet/")) for site in sites]
    modules = model.modules("cross_attn")
    assert [site.index for site in sites] == list(range(len(modules)))
    for value, module in zip(held, modules, strict=True):
        assert any(value is own for own in module.parameters())


def test_resnets_are_all_there(model: DiffusersModel) -> None:
    blocks = [one for one in model.denoiser.modules() if type(one).__name__ == "ResnetBlock2D"]
    assert set(model.modules("resnet")) == set(blocks)
