"""Stable Diffusion 1, 2 and XL with every module and name of the real ones, and narrow widths.

Structures come from the real configurations with small numbers in them, built by diffusers and
transformers; values are random float32. Heads are 64 wide, as in every published text tower.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.helpers import single
from tests.helpers.structures import component_shapes, configs
from tests.helpers.tiny import vocabulary, write_tokenizer

Arrays = dict[str, np.ndarray]
PARTS = ("unet", "vae", "text_encoder", "text_encoder_2")
FILES = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
# diffusers tells the towers of a single file apart by their widths.
WIDTHS = {"text_encoder": 128, "text_encoder_2": 192}
TIME = 8
PIPELINES = {
    "sd1": "StableDiffusionPipeline",
    "sd2": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
}


def narrow(family: str) -> dict[str, dict[str, object]]:
    """Component -> configuration."""
    given = configs(family)
    found = {part: {**given[part], **_numbers(part, given)} for part in PARTS if part in given}
    unet = found["unet"]
    unet["block_out_channels"] = [16] * len(list(unet["block_out_channels"]))
    vae = found["vae"]
    vae["block_out_channels"] = [16] * len(list(vae["block_out_channels"]))
    if family == "sdxl":
        unet["transformer_layers_per_block"] = [1, 2, 3]
    return found


def _numbers(part: str, given: Mapping[str, object]) -> dict[str, object]:
    if part == "unet":
        widths = [width for tower, width in WIDTHS.items() if tower in given]
        pooled = {
            "addition_time_embed_dim": TIME,
            "projection_class_embeddings_input_dim": 6 * TIME + widths[-1],
        }
        return {
            "attention_head_dim": 2,
            "cross_attention_dim": sum(widths),
            "norm_num_groups": 4,
            "sample_size": 8,
            **(pooled if len(widths) == 2 else {}),
        }
    if part == "vae":
        return {"norm_num_groups": 4, "sample_size": 8}
    width = WIDTHS[part]
    sizes = {"hidden_size": width, "projection_dim": width, "intermediate_size": 2 * width}
    layers = {"num_attention_heads": width // 64, "num_hidden_layers": 2}
    return {**sizes, **layers, "vocab_size": len(vocabulary())}


def values(family: str, settings: Mapping[str, Mapping[str, object]]) -> Arrays:
    """`component/name` -> random values, CLIP with `text_model.`."""
    draw = np.random.default_rng(len(family))
    return {
        f"{part}/{name}": (0.2 * draw.standard_normal(shape)).astype(np.float32)
        for part, config in settings.items()
        for name, shape in component_shapes(config).items()
    }


def write_folder(family: str, root: Path) -> Path:
    """Write the diffusers folder."""
    settings = narrow(family)
    arrays = values(family, settings)
    for part, config in settings.items():
        (root / part).mkdir(parents=True)
        (root / part / "config.json").write_text(json.dumps(config), "utf-8")
        own = {n.partition("/")[2]: a for n, a in arrays.items() if n.startswith(f"{part}/")}
        save_file(own, root / part / f"{FILES.get(part, 'model')}.safetensors", {"format": "pt"})
    write_tokenizer(root / "tokenizer", pad="!" if family == "sd2" else "<|endoftext|>")
    if family == "sdxl":
        write_tokenizer(root / "tokenizer_2", pad="!")
    (root / "scheduler").mkdir()
    scheduler = {"_class_name": "DDIMScheduler", "clip_sample": False, "steps_offset": 1}
    (root / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler), "utf-8")
    (root / "model_index.json").write_text(json.dumps(_index(family, settings)), "utf-8")
    return root


def _index(family: str, settings: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    towers = {part: config for part, config in settings.items() if part.startswith("text")}
    index: dict[str, object] = {"_class_name": PIPELINES[family], "_diffusers_version": "0.30.0"}
    for part, config in towers.items():
        index[part] = ["transformers", next(iter(config["architectures"]))]
        index[part.replace("text_encoder", "tokenizer")] = ["transformers", "CLIPTokenizer"]
    for part in ("unet", "vae"):
        index[part] = ["diffusers", settings[part]["_class_name"]]
    index["scheduler"] = ["diffusers", "DDIMScheduler"]
    if family != "sdxl":
        index |= {"safety_checker": [None, None], "feature_extractor": [None, None]}
    return index


def write_single(family: str, path: Path, *, ema: bool = False, new_clip: bool = False) -> Path:
    """Write the same values as one file, and the tokenizer beside it.

    Args:
        ema: with copies of the UNet as LDM's trainer keeps them.
        new_clip: the CLIP tower without `text_model.` in its names.
    """
    settings = narrow(family)
    arrays = values(family, settings)
    parts = {part: [n for n in arrays if n.startswith(f"{part}/")] for part in settings}
    names = {part: [n.partition("/")[2] for n in found] for part, found in parts.items()}
    tensors = single.fused(single.plan(family, names, settings["unet"]), arrays)
    if new_clip:
        tensors = {name.replace(".text_model.", "."): value for name, value in tensors.items()}
    if ema:
        for name in [name for name in tensors if name.startswith("model.")]:
            twin = "model_ema." + "".join(name.split(".")[1:])
            tensors[twin] = tensors[name] * np.float32(0.999)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, {"format": "pt"})
    write_tokenizer(path.parent / "tokenizer", pad="!" if family == "sd2" else "<|endoftext|>")
    return path
