"""A tiny Stable-Diffusion-1-like pipeline folder, written with numpy and safetensors alone.

Tensor names, configs and tokenizer files are those of real folders; only the widths are small.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

WIDTH, HEADS, LAYERS, LENGTH = 32, 4, 2, 77
CHANNELS, GROUPS, TIME = (8, 16), 4, 32
TEXT = """
a an the of in by style photo picture painting image van gogh monet seurat hokusai picasso
flag freedonia ruritania ball star ring cross r2d2 droid red blue green manner drawing work
"""
WORDS = TEXT.split()

Shapes = Iterator[tuple[str, tuple[int, ...]]]


def write_pipeline(
    folder: Path, *, dtype: str = "float16", seed: int = 0, eos_pads: bool = True
) -> Path:
    """Write the whole pipeline into `folder` and return it."""
    draw = np.random.default_rng(seed)
    parts: Mapping[str, tuple[str, Shapes, Mapping[str, object]]] = {
        "text_encoder": ("model", text_tower(), _text_config()),
        "unet": ("diffusion_pytorch_model", unet(), _unet_config()),
        "vae": ("diffusion_pytorch_model", vae(), _vae_config()),
    }
    for name, (stem, shapes, config) in parts.items():
        (folder / name).mkdir(parents=True)
        _write_json(folder / name / "config.json", config)
        tensors = {key: _values(draw, key, shape, dtype) for key, shape in shapes}
        save_file(tensors, folder / name / f"{stem}.safetensors", metadata={"format": "pt"})
    write_tokenizer(folder / "tokenizer", pad=END if eos_pads else "!")
    _write_json(_made(folder / "scheduler") / "scheduler_config.json", _scheduler_config())
    _write_json(folder / "model_index.json", _index())
    return folder


def write_text_encoder(folder: Path, *, dtype: str = "float32", seed: int = 0) -> Path:
    """Write a folder with a text encoder and its tokenizer only."""
    draw = np.random.default_rng(seed)
    tensors = {key: _values(draw, key, shape, dtype) for key, shape in text_tower()}
    _write_json(_made(folder / "text_encoder") / "config.json", _text_config())
    save_file(tensors, folder / "text_encoder" / "model.safetensors", metadata={"format": "pt"})
    write_tokenizer(folder / "tokenizer")
    index = {key: value for key, value in _index().items() if "Tok" in str(value) or key[0] == "_"}
    _write_json(folder / "model_index.json", index | {"text_encoder": _index()["text_encoder"]})
    return folder


def _values(
    draw: np.random.Generator, name: str, shape: tuple[int, ...], dtype: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    norm = "norm" in name
    if norm and name.endswith("weight"):
        return np.ones(shape, dtype)
    if name.endswith("bias"):
        return (draw.normal(size=shape) * 0.02).astype(dtype)
    fan_in = int(np.prod(shape[1:]))
    scale = 0.5 if "embedding.weight" in name else fan_in**-0.5
    return (draw.normal(size=shape) * scale).astype(dtype)


def linear(name: str, out: int, inner: int, *, bias: bool = True) -> Shapes:
    yield f"{name}.weight", (out, inner)
    if bias:
        yield f"{name}.bias", (out,)


def conv(name: str, out: int, inner: int, size: int = 3) -> Shapes:
    yield f"{name}.weight", (out, inner, size, size)
    yield f"{name}.bias", (out,)


def norm(name: str, width: int) -> Shapes:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def text_tower(prefix: str = "text_model.") -> Shapes:
    """Names and shapes of a CLIPTextModel."""
    yield f"{prefix}embeddings.token_embedding.weight", (len(vocabulary()), WIDTH)
    yield f"{prefix}embeddings.position_embedding.weight", (LENGTH, WIDTH)
    for number in range(LAYERS):
        layer = f"{prefix}encoder.layers.{number}"
        for projection in ("k", "v", "q", "out"):
            yield from linear(f"{layer}.self_attn.{projection}_proj", WIDTH, WIDTH)
        yield from norm(f"{layer}.layer_norm1", WIDTH)
        yield from linear(f"{layer}.mlp.fc1", 4 * WIDTH, WIDTH)
        yield from linear(f"{layer}.mlp.fc2", WIDTH, 4 * WIDTH)
        yield from norm(f"{layer}.layer_norm2", WIDTH)
    yield from norm(f"{prefix}final_layer_norm", WIDTH)


def unet() -> Shapes:
    """Names and shapes of a UNet2DConditionModel of two levels."""
    low, high = CHANNELS
    yield from conv("conv_in", low, 4)
    yield from linear("time_embedding.linear_1", TIME, low)
    yield from linear("time_embedding.linear_2", TIME, TIME)
    yield from resnet("down_blocks.0.resnets.0", low, low, TIME)
    yield from transformer("down_blocks.0.attentions.0", low)
    yield from conv("down_blocks.0.downsamplers.0.conv", low, low)
    yield from resnet("down_blocks.1.resnets.0", low, high, TIME)
    yield from transformer("down_blocks.1.attentions.0", high)
    yield from resnet("mid_block.resnets.0", high, high, TIME)
    yield from transformer("mid_block.attentions.0", high)
    yield from resnet("mid_block.resnets.1", high, high, TIME)
    for number, (inner, skip, out) in enumerate([(high, high, high), (high, low, high)]):
        yield from resnet(f"up_blocks.0.resnets.{number}", inner + skip, out, TIME)
        yield from transformer(f"up_blocks.0.attentions.{number}", out)
    yield from conv("up_blocks.0.upsamplers.0.conv", high, high)
    for number, (inner, skip) in enumerate([(high, low), (low, low)]):
        yield from resnet(f"up_blocks.1.resnets.{number}", inner + skip, low, TIME)
        yield from transformer(f"up_blocks.1.attentions.{number}", low)
    yield from norm("conv_norm_out", low)
    yield from conv("conv_out", 4, low)


def resnet(name: str, inner: int, out: int, time: int = 0) -> Shapes:
    yield from norm(f"{name}.norm1", inner)
    yield from conv(f"{name}.conv1", out, inner)
    if time:
        yield from linear(f"{name}.time_emb_proj", out, time)
    yield from norm(f"{name}.norm2", out)
    yield from conv(f"{name}.conv2", out, out)
    if inner != out:
        yield from conv(f"{name}.conv_shortcut", out, inner, 1)


def transformer(name: str, width: int) -> Shapes:
    block = f"{name}.transformer_blocks.0"
    yield from norm(f"{name}.norm", width)
    yield from conv(f"{name}.proj_in", width, width, 1)
    for number, inner in ((1, width), (2, WIDTH)):
        yield from norm(f"{block}.norm{number}", width)
        yield from linear(f"{block}.attn{number}.to_q", width, width, bias=False)
        yield from linear(f"{block}.attn{number}.to_k", width, inner, bias=False)
        yield from linear(f"{block}.attn{number}.to_v", width, inner, bias=False)
        yield from linear(f"{block}.attn{number}.to_out.0", width, width)
    yield from norm(f"{block}.norm3", width)
    yield from linear(f"{block}.ff.net.0.proj", 8 * width, width)
    yield from linear(f"{block}.ff.net.2", width, 4 * width)
    yield from conv(f"{name}.proj_out", width, width, 1)


def vae() -> Shapes:
    """Names and shapes of an AutoencoderKL of one level."""
    width = CHANNELS[0]
    for half, inner, out in (("encoder", 3, 8), ("decoder", 4, 3)):
        yield from conv(f"{half}.conv_in", width, inner)
        blocks = "down_blocks.0" if half == "encoder" else "up_blocks.0"
        for number in range(1 if half == "encoder" else 2):
            yield from resnet(f"{half}.{blocks}.resnets.{number}", width, width)
        yield from norm(f"{half}.mid_block.attentions.0.group_norm", width)
        for projection in ("to_q", "to_k", "to_v", "to_out.0"):
            yield from linear(f"{half}.mid_block.attentions.0.{projection}", width, width)
        for number in (0, 1):
            yield from resnet(f"{half}.mid_block.resnets.{number}", width, width)
        yield from norm(f"{half}.conv_norm_out", width)
        yield from conv(f"{half}.conv_out", out, width)
    yield from conv("quant_conv", 8, 8, 1)
    yield from conv("post_quant_conv", 4, 4, 1)


START, END = "<|startoftext|>", "<|endoftext|>"


def merges() -> list[tuple[str, str]]:
    """BPE merges that join every word of WORDS but the last letter of each, left to right."""
    found: dict[tuple[str, str], None] = {}
    for word in WORDS:
        letters = [*word[:-1], f"{word[-1]}</w>"] if len(word) < 6 else list(word[:4])
        while len(letters) > 1:
            found[(letters[0], letters[1])] = None
            letters[:2] = ["".join(letters[:2])]
    return list(found)


def vocabulary() -> dict[str, int]:
    """The CLIP vocabulary in small: bytes, bytes that end a word, merges, start and end."""
    letters = byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges())]
    return {token: number for number, token in enumerate(dict.fromkeys([*tokens, START, END]))}


def byte_letters() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in CLIP's order."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [*map(chr, shown), *(chr(256 + number) for number in range(len(hidden)))]


def write_tokenizer(folder: Path, *, pad: str = END) -> Path:
    """Write a CLIPTokenizer folder as Stable Diffusion 1.5 has it."""
    _write_json(_made(folder) / "vocab.json", vocabulary())
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges())]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad}
    _write_json(folder / "special_tokens_map.json", special)
    config = {"model_max_length": LENGTH, "tokenizer_class": "CLIPTokenizer", "do_lower_case": True}
    _write_json(folder / "tokenizer_config.json", special | config)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _text_config() -> Mapping[str, object]:
    return {
        "architectures": ["CLIPTextModel"],
        "model_type": "clip_text_model",
        "hidden_act": "quick_gelu",
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": LENGTH,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "projection_dim": WIDTH,
        "vocab_size": len(vocabulary()),
        "bos_token_id": vocabulary()[START],
        "eos_token_id": vocabulary()[END],
        "pad_token_id": 1,
    }


def _unet_config() -> Mapping[str, object]:
    return {
        "_class_name": "UNet2DConditionModel",
        "sample_size": 4,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": list(CHANNELS),
        "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
        "layers_per_block": 1,
        "norm_num_groups": GROUPS,
        "attention_head_dim": 2,
        "cross_attention_dim": WIDTH,
    }


def _vae_config() -> Mapping[str, object]:
    return {
        "_class_name": "AutoencoderKL",
        "block_out_channels": [CHANNELS[0]],
        "down_block_types": ["DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D"],
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": GROUPS,
        "sample_size": 4,
    }


def _scheduler_config() -> Mapping[str, object]:
    return {"_class_name": "DDIMScheduler", "clip_sample": False, "steps_offset": 1}


def _index() -> dict[str, object]:
    return {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.30.0",
        "feature_extractor": [None, None],
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
