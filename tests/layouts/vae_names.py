"""Names of a VAE in single files, guessed from diffusers' names; judged as those of `originals`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.layouts.originals import Plan, Rules, renamed

ENDS: Rules = (("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut"))
ATTENTION: Rules = (
    ("group_norm", "norm"),
    ("to_q", "q"),
    ("to_k", "k"),
    ("to_v", "v"),
    ("to_out.0", "proj_out"),
)


def vae(names: Iterable[str]) -> Plan:
    """LDM names of an AutoencoderKL."""
    known = list(names)
    blocks = 1 + max(int(n) for text in known for n in re.findall(r"up_blocks\.(\d+)", text))
    return {_name(name, blocks): (name,) for name in known}


def shape(name: str, given: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a tensor in the file: the attention's matrices are convolutions of 1 x 1."""
    is_conv = "attn_1." in name and name.endswith("weight") and len(given) == 2
    return (*given, 1, 1) if is_conv else given


def _name(name: str, blocks: int) -> str:
    name = renamed(name, ENDS)
    name = name.replace("mid_block.attentions.0", "mid.attn_1")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name)
    if ".attn_1." in name:
        return renamed(name, ATTENTION)
    name = re.sub(r"down_blocks\.(\d+)", r"down.\1", name)
    name = re.sub(r"up_blocks\.(\d+)", lambda found: f"up.{blocks - 1 - int(found[1])}", name)
    name = re.sub(r"(down|up)samplers\.0", r"\1sample", name)
    return name.replace("resnets.", "block.")
