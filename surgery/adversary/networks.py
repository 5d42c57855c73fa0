"""Two models beside each other: whether attacks can be made between them, and what differs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surgery.errors import UsageError
from surgery.model import Conditioning, Model


def must_match(before: Model, after: Model) -> None:
    """Make sure that two models have the same networks.

    Raises:
        UsageError: they do not.
    """
    if _shapes(before) != _shapes(after):
        raise UsageError(
            "the two models have other shapes",
            hint="an attack compares a model with what was made from it",
        )


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks of the same shapes hold the same values."""
    mine, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(value, theirs[name].to(value)) for name, value in mine.items())


def keys_and_values(model: Model) -> tuple[Tensor, ...]:
    """The matrices that cross-attention reads a prompt through, (out, in), in execution order."""
    layers = model.modules("cross_attn")
    return tuple(_weight(layer, name) for layer in layers for name in ("k", "v"))


def there(told: Conditioning, model: Model) -> Conditioning:
    """The same, on the device and in the dtype of a model."""
    pooled = None if told.pooled is None else told.pooled.to(model.device, model.dtype)
    return Conditioning(told.states.to(model.device, model.dtype), pooled)


def _weight(layer: nn.Module, name: str) -> Tensor:
    # Where text has projections of its own, those without a prefix read the picture.
    added = getattr(layer, f"add_{name}_proj", None)
    projection = layer.get_submodule(f"to_{name}") if added is None else added
    weight = projection.weight
    assert isinstance(weight, Tensor)
    return weight.detach()


def _shapes(model: Model) -> dict[str, tuple[int, ...]]:
    networks = {"": model.denoiser, **model.towers}
    return {
        f"{role}/{name}": tuple(value.shape)
        for role, network in networks.items()
        for name, value in network.state_dict().items()
    }
