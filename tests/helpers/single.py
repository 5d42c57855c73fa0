"""Single files as people have them: a diffusers model under the names of the original code.

The names of UNet and text towers are those that diffusers' own converters were held against (see
tests/layouts/originals.py); those of the VAE are here. Only names and rows change, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from tests.layouts import originals

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CLIP = {
    "sd1": ("cond_stage_model.transformer.", "same"),
    "sd2": ("cond_stage_model.model.", "openclip"),
    "sdxl": ("conditioner.embedders.0.transformer.", "same"),
}
CLIP_2 = ("conditioner.embedders.1.model.", "openclip")
ENDS = (("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut"))
ATTENTION = (
    ("group_norm", "norm"),
    ("to_q", "q"),
    ("to_k", "k"),
    ("to_v", "v"),
    ("to_out.0", "proj_out"),
)

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
            prefix, renamed = VAE, {_vae_name(name, list(names)): (name,) for name in names}
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
        is_conv = "attn_1." in name and name.endswith("weight") and rows.ndim == 2
        tensors[name] = rows[:, :, None, None] if is_conv else rows
    return tensors


def _vae_name(name: str, known: list[str]) -> str:
    name = originals.renamed(name, ENDS)
    name = name.replace("mid_block.attentions.0", "mid.attn_1")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name)
    if ".attn_1." in name:
        return originals.renamed(name, ATTENTION)
    blocks = 1 + max(int(n) for text in known for n in re.findall(r"up_blocks\.(\d+)", text))
    name = re.sub(r"down_blocks\.(\d+)", r"down.\1", name)
    name = re.sub(r"up_blocks\.(\d+)", lambda found: f"up.{blocks - 1 - int(found[1])}", name)
    name = re.sub(r"(down|up)samplers\.0", r"\1sample", name)
    return name.replace("resnets.", "block.")
