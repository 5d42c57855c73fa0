"""The three ways to name a LoRA, and the files they lie in. Which module a site is, `modules` says.

Every layer of a component gets one rank, and alpha is that rank, so that the scale is 1 everywhere:
diffusers 0.38 misreads files of several ranks, and 0.42 still those of several alphas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surgery.edits.delta import Array, LowRank
from surgery.errors import EditError
from surgery.layout import Layout
from surgery.lora.factors import widened
from surgery.lora.layers import KEEP, Layer
from surgery.lora.modules import DENOISER, IN_MEMORY, Module, Modules

LoraFormat = Literal["diffusers", "kohya", "peft"]

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"

# Kohya's trainer keeps SDXL's UNet under the original names, and the older ones' under diffusers'.
KOHYA: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "sd1": {DENOISER: ("lora_unet", IN_MEMORY), "text": ("lora_te", IN_MEMORY)},
    "sd2": {DENOISER: ("lora_unet", IN_MEMORY), "text": ("lora_te", IN_MEMORY)},
    "sdxl": {
        DENOISER: ("lora_unet", ("sgm",)),
        "text": ("lora_te1", IN_MEMORY),
        "text2": ("lora_te2", IN_MEMORY),
    },
}
# CLIP towers with a projection hold the tower proper one level down.
PROJECTED = frozenset(
    {("sdxl", "text2"), ("sdxl-refiner", "text2"), ("sd3", "text"), ("sd3", "text2")}
)
# Towers that several models have under different component names.
ALONE = frozenset({"clip-big", "t5"})
_TOWER = "text_model."


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """One layer under a loader's names.

    Args:
        file: relative name, or "" where the LoRA is one file.
        down, up: tensor names of the factors.
        alpha: tensor name of the scale's numerator, or "" where the format has none.
        change: of the rank that all layers of its component have.
    """

    layer: Layer
    component: str
    module: str
    file: str
    down: str
    up: str
    alpha: str
    change: LowRank

    def tensors(self) -> Iterator[tuple[str, Array]]:
        """The numbers to store, by tensor name."""
        yield self.down, self.change.down
        yield self.up, self.change.up
        if self.alpha:
            yield self.alpha, np.array(float(self.change.rank))


def named(
    layers: Sequence[Layer], layout: Layout, modules: Modules, format: LoraFormat
) -> tuple[Named, ...]:
    """Give every layer the names of a format.

    Raises:
        EditError: the format's loaders read no LoRA of this network.
        LayoutError: the model's module names are not known.
    """
    if layout.family in ALONE:
        raise EditError(
            f"a text encoder alone ({layout.name}) does not say which of a model's it is",
            hint="give the whole model",
        )
    if format == "kohya":
        layers = (*layers, *_outputs(layers, layout))
    found = [(layer, modules.of(layer.site)) for layer in layers]
    ranks = {module.role: 0 for _, module in found}
    for layer, module in found:
        ranks[module.role] = max(ranks[module.role], layer.change.rank)
    name = FORMATS[format]
    return tuple(
        name(layer, module, layout, modules, widened(layer.change, ranks[module.role]))
        for layer, module in found
    )


def config(named: Sequence[Named], model: str) -> dict[str, object]:
    """What PEFT's LoraConfig is read from, for the layers of one file."""
    rank = named[0].change.rank
    return {
        "peft_type": "LORA",
        "base_model_name_or_path": model,
        "r": rank,
        "lora_alpha": rank,
        "target_modules": [one.module for one in named],
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
    }


def _outputs(layers: Sequence[Layer], layout: Layout) -> Iterator[Layer]:
    """A zero change of an attention output, for towers whose queries, keys or values change alone.

    Without one, diffusers 0.42 takes kohya's names of the others for those of another format.
    """
    widths = {layer.site.kind: layer.change.shape[1] for layer in layers}
    for site in layout.sites:
        role, _, kind = site.kind.partition(".")
        alone = [f"{role}.self_attn.{one}" for one in "qkv" if f"{role}.self_attn.{one}" in widths]
        if kind == "self_attn.out" and site.index == 0 and site.kind not in widths and alone:
            width = widths[alone[0]]
            yield Layer(site, LowRank(np.zeros((width, 1)), np.zeros((1, width))))


def _diffusers(
    layer: Layer, module: Module, layout: Layout, modules: Modules, change: LowRank
) -> Named:
    name = f"{module.component}.{module.path}"
    if module.role == DENOISER:
        return Named(
            layer,
            module.component,
            name,
            "",
            f"{name}.lora_A.weight",
            f"{name}.lora_B.weight",
            "",
            change,
        )
    if modules.part(module.role) != "clip":
        raise EditError(
            f"diffusers reads no LoRA of {module.component}, which is no CLIP", hint=KEEP
        )
    lead = f"{name}.lora_linear_layer"
    return Named(
        layer, module.component, name, "", f"{lead}.down.weight", f"{lead}.up.weight", "", change
    )


def _kohya(
    layer: Layer, module: Module, layout: Layout, modules: Modules, change: LowRank
) -> Named:
    names = KOHYA.get(layout.family)
    if names is None:
        raise EditError(
            f"kohya's names for {layout.name} are not known here",
            hint=f"it is one of {', '.join(KOHYA)} that has them; try --lora-format diffusers",
        )
    lead, namings = names[module.role]
    name = f"{lead}_{modules.of(layer.site, namings).path.replace('.', '_')}"
    down, up = f"{name}.lora_down.weight", f"{name}.lora_up.weight"
    return Named(layer, module.component, name, "", down, up, f"{name}.alpha", change)


def _peft(layer: Layer, module: Module, layout: Layout, modules: Modules, change: LowRank) -> Named:
    path = module.path
    if (layout.family, module.role) not in PROJECTED:
        path = path.removeprefix(_TOWER)
    name = f"base_model.model.{path}"
    down, up = f"{name}.lora_A.weight", f"{name}.lora_B.weight"
    return Named(
        layer, module.component, path, f"{module.component}/{WEIGHTS}", down, up, "", change
    )


FORMATS: Mapping[LoraFormat, Callable[[Layer, Module, Layout, Modules, LowRank], Named]] = {
    "diffusers": _diffusers,
    "kohya": _kohya,
    "peft": _peft,
}
