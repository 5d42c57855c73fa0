"""Which rows of which single-file tensor become a parameter, read off diffusers' own converters.

Tensors whose rows are numbered go in under single-file names; where the numbers come out is the
answer. Columns are left out: converters slice rows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.layouts import originals, vae_names

if TYPE_CHECKING:
    import torch

Shape = tuple[int, ...]
Sources = dict[str, tuple[str, int, int]]
BIG = 1_000_000


def convert(
    naming: str, prefix: str, wanted: Mapping[str, Shape], config: Mapping[str, object]
) -> tuple[dict[str, Shape], Sources]:
    """Return a component's single-file shapes, and for each parameter (tensor, first row, last+1).

    Args:
        naming: `same` (only a prefix is added), or a function of `originals`.
        wanted: parameter -> shape, as diffusers or transformers build it.
    """
    plan = {prefix + name: held for name, held in _plan(naming, wanted, config).items()}
    shapes = {name: _shape(held, wanted) for name, held in plan.items()}
    if naming == "vae":
        shapes = {name: vae_names.shape(name, shape) for name, shape in shapes.items()}
    found = _convert(naming, prefix, shapes, config)
    _check(prefix, wanted, found)
    return shapes, found


def pixart(marked: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What diffusers' scripts/convert_pixart_sigma_to_diffusers.py says; the package has none.

    Query, key and value are thirds of `attn.qkv`, key and value halves of `cross_attn.kv_linear`;
    the rest is renamed.
    """
    back = sorted(((new, old) for old, new in originals.PIXART), key=lambda pair: -len(pair[0]))
    split = {".attn.qkv.": (".attn1.to_", "qkv"), ".cross_attn.kv_linear.": (".attn2.to_", "kv")}
    found = {}
    for name, tensor in marked.items():
        fused = [old for old in split if old in name]
        if fused:
            module, letters = split[fused[0]]
            lead, leaf = name.replace("blocks.", "transformer_blocks.").split(fused[0])
            pieces = zip(letters, tensor.chunk(len(letters)), strict=True)
            found |= {f"{lead}{module}{letter}.{leaf}": piece for letter, piece in pieces}
            continue
        new = name.replace("final_layer.linear", "proj_out").removeprefix("final_layer.")
        for old, given in back:
            new = new.replace(old, given)
        found[new] = tensor
    return found


def _plan(naming: str, wanted: Mapping[str, Shape], config: Mapping[str, object]) -> originals.Plan:
    if naming == "same":
        return {name: (name,) for name in wanted}
    if naming == "unet":
        return originals.unet(wanted, config)
    if naming == "vae":
        return vae_names.vae(wanted)
    return getattr(originals, naming)(wanted)


def _shape(held: tuple[str, ...], wanted: Mapping[str, Shape]) -> Shape:
    shapes = [wanted[name] for name in held]
    return (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _convert(
    naming: str, prefix: str, shapes: Mapping[str, Shape], config: Mapping[str, object]
) -> Sources:
    """Send tensors whose rows are marked through a converter and read off where each row went."""
    import torch
    from diffusers.loaders import single_file_utils as utils

    names = list(shapes)
    marked = {
        name: (torch.arange(_rows(name, shapes), dtype=torch.float64) + BIG * number).reshape(
            -1, *[1] * (len(shapes[name]) - 1)
        )
        for number, name in enumerate(names)
    }
    if naming == "same":
        converted = {name.removeprefix(prefix): tensor for name, tensor in marked.items()}
    elif naming == "unet":
        converted = utils.convert_ldm_unet_checkpoint(marked, dict(config))
    elif naming == "vae":
        converted = utils.convert_ldm_vae_checkpoint(marked, dict(config))
    elif naming == "openclip":
        tower = type("Tower", (), {"config": type("Config", (), dict(config))})
        converted = utils.convert_open_clip_checkpoint(tower, marked, prefix)
    else:
        extra = {"pos_embed", "y_embedder.y_embedding"} - set(marked) if naming == "sana" else set()
        marked |= {name: torch.zeros(1) for name in extra}
        converter = {
            "sd3": utils.convert_sd3_transformer_checkpoint_to_diffusers,
            "flux": utils.convert_flux_transformer_checkpoint_to_diffusers,
            "sana": utils.convert_sana_transformer_to_diffusers,
            "wan": utils.convert_wan_transformer_to_diffusers,
            "pixart": pixart,
        }[naming]
        converted = converter(marked)
    return {name: _read(tensor, names) for name, tensor in converted.items()}


def _rows(name: str, shapes: Mapping[str, Shape]) -> int:
    return shapes[name][0]


def _read(tensor, names: list[str]) -> tuple[str, int, int]:
    marks = tensor.reshape(-1)
    first, last = int(marks[0]), int(marks[-1])
    contiguous = last - first == len(marks) - 1
    return names[first // BIG], first % BIG, last % BIG + 1 if contiguous else -1


def _check(part: str, wanted: Mapping[str, Shape], found: Sources) -> None:
    """Every parameter came out once, with its number of rows (-1: the converter moved them)."""
    if set(wanted) != set(found):
        odd = sorted(set(wanted) ^ set(found))
        raise SystemExit(f"{part}: {len(odd)} names differ, such as {odd[:4]}")
    for name, (_, first, last) in found.items():
        if last > 0 and last - first != wanted[name][0]:
            raise SystemExit(f"{part}: {name} has {last - first} rows")
