"""The modules that hooks are put on, by kind, in the order in which a forward pass meets them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import nn

from surgery.errors import UsageError
from surgery.layout import Layout
from surgery.model.networks import COMPONENTS

# What is cut off the name of a site's tensor: what remains names the module.
_DENOISER = {
    "cross_attn": ("cross_attn.k", r"\.(to_k|add_k_proj)\.weight$"),
    "self_attn": ("self_attn.k", r"\.to_k\.weight$"),
    "ff": ("ff.out", r"\.net\.2\.weight$"),
    "resnet": ("resnet.out", r"\.conv2\.weight$"),
}
_TOWER = {
    "self_attn": ("self_attn.out", r"\.(out_proj|o)\.weight$"),
    "mlp": ("mlp.out", r"\.(fc2|wo)\.weight$"),
    "layer": ("mlp.out", r"\.(mlp|layer\.1\.DenseReluDense)\.(fc2|wo)\.weight$"),
    "embedding": ("token_embedding", r"\.weight$"),
}


def modules(
    kind: str, layout: Layout, denoiser: nn.Module, towers: Mapping[str, nn.Module]
) -> tuple[nn.Module, ...]:
    """Return the modules of a kind, or () where the model has none.

    Args:
        kind: `cross_attn`, `self_attn`, `ff` or `resnet` of the denoiser; `self_attn`, `mlp`,
            `layer` or `embedding` of a text tower, as `text.mlp` or `text2.layer`.
    """
    role, _, what = kind.rpartition(".")
    if not role:
        return _found(layout, "unet/", denoiser, *_DENOISER[what])
    if role not in towers:
        return ()
    site, cut = _TOWER[what]
    found = _found(layout, f"{COMPONENTS[role]}/", towers[role], f"{role}.{site}", cut)
    # T5 keeps its table under two names, of which the second is run.
    return found[-1:] if what == "embedding" else found


def owner(site: str, layout: Layout, denoiser: nn.Module) -> nn.Module:
    """The module whose `weight` a site of the denoiser is, such as `ff.in[3]`.

    Raises:
        LayoutError: the selector names no site.
        UsageError: what it names is no single weight of the denoiser.
    """
    found = layout.select(site)
    name = found[0].tensor.removeprefix("unet/")
    if len(found) != 1 or name == found[0].tensor or not name.endswith(".weight"):
        raise UsageError(f"{site} is no single weight of the denoiser")
    return denoiser.get_submodule(name.removesuffix(".weight"))


def parameter(tensor: str, denoiser: nn.Module, towers: Mapping[str, nn.Module]) -> nn.Parameter:
    """The parameter that a tensor of a model's layout is.

    Args:
        tensor: its name in a diffusers folder, as layouts of models in memory have it.
    """
    component, _, name = tensor.partition("/")
    networks = {"unet": denoiser, **{COMPONENTS[role]: one for role, one in towers.items()}}
    return networks[component].get_parameter(name)


def _found(
    layout: Layout, prefix: str, network: nn.Module, site: str, cut: str
) -> tuple[nn.Module, ...]:
    names = [one.tensor.removeprefix(prefix) for one in layout.sites if one.kind == site]
    return tuple(dict.fromkeys(network.get_submodule(re.sub(cut, "", name)) for name in names))
