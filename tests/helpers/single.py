"""Single files as people have them: a diffusers model under the names of the original code.

The names are those that diffusers' own converters were held against (see tests/layouts/originals.py
and vae_names.py). Only names and rows change, never a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from tests.layouts import originals, vae_names

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CLIP = {
    "sd1": ("cond_stage_model.transformer.", "same"),
    "sd2": ("cond_stage_model.model.", "openclip"),
    "sdxl": ("conditioner.embedders.0.transformer.", "same"),
}
CLIP_2 = ("conditioner.embedders.1.model.", "openclip")

Arrays = Mapping[str, np.ndarray]
Plan = Mapping[str, tuple[str, ...]]


def plan(
    family: str, parts: Mapping[str, Iterable[str]], unet_config: Mapping[str, object]
) -> dict[str, tuple[str, ...]]:
    """Name in the single file -> the `component/name` whose rows it holds, one after the other.

    Args:
        parts: component -> its parameters as a diffusers folder has them, CLIP with `text_model.`.
    """
    found: dict[str, tuple[str, ...]] = {}
    towers = {"text_encoder": CLIP[family], "text_encoder_2": CLIP_2}
    for component, names in parts.items():
        if component == "unet":
            prefix, renamed = UNET, originals.unet(names, unet_config)
        elif component == "vae":
            prefix, renamed = VAE, vae_names.vae(names)
        else:
            prefix, kind = towers[component]
            same = kind == "same"
            renamed = {n: (n,) for n in names} if same else originals.openclip(names)
        for name, held in renamed.items():
            found[prefix + name] = tuple(f"{component}/{one}" for one in held)
    return found


def fused(plan: Plan, arrays: Arrays) -> dict[str, np.ndarray]:
    """The tensors of the single file; only the VAE's attention has another shape there."""
    tensors = {}
    for name, held in plan.items():
        rows = np.concatenate([arrays[one] for one in held]) if held[1:] else arrays[held[0]]
        if name.endswith("text_projection"):
            rows = np.ascontiguousarray(rows.T)
        tensors[name] = rows.reshape(vae_names.shape(name, rows.shape))
    return tensors
