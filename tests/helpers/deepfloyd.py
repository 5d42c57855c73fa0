"""The first stage of DeepFloyd IF, narrow: every module of the real one, random values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from transformers import T5Tokenizer

from tests.helpers.structures import component_shapes, configs
from tests.helpers.tiny import WORDS

T5_WIDTH, CONTEXT = 48, 32
PIECES = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("▁", -3.0)]


def narrow_if() -> dict[str, dict[str, object]]:
    """Component -> configuration."""
    given = configs("if")
    unet = {
        **given["unet"],
        "attention_head_dim": 8,
        "block_out_channels": [8, 16, 16, 16],
        "norm_num_groups": 4,
        "cross_attention_dim": CONTEXT,
        "encoder_hid_dim": T5_WIDTH,
        "addition_embed_type_num_heads": 4,
        "layers_per_block": 1,
        "sample_size": 16,
        "mid_block_scale_factor": 2**0.5,
        "resnet_skip_time_act": True,
        "resnet_out_scale_factor": 1.4,
    }
    text = {"d_model": T5_WIDTH, "d_ff": 64, "d_kv": 8, "num_heads": 6, "num_layers": 3}
    rest = {"num_decoder_layers": 3, "vocab_size": len(pieces())}
    return {"unet": unet, "text_encoder": {**given["text_encoder"], **text, **rest}}


def pieces() -> list[tuple[str, float]]:
    """A Unigram vocabulary: the words of the tiny pipeline, and single letters for all others."""
    words = [(f"▁{word}", -1.0) for word in dict.fromkeys(WORDS)]
    letters = [(letter, -5.0) for letter in "abcdefghijklmnopqrstuvwxyz0123456789,.'"]
    return [*PIECES, *words, *letters]


def write_if(root: Path) -> Path:
    """Write the diffusers folder."""
    draw = np.random.default_rng(2)
    for part, config in narrow_if().items():
        folder = root / part
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
        tensors = {
            name: (0.2 * draw.standard_normal(shape)).astype(np.float32)
            for name, shape in component_shapes(config).items()
        }
        stem = "diffusion_pytorch_model" if part == "unet" else "model"
        save_file(tensors, folder / f"{stem}.safetensors", {"format": "pt"})
    T5Tokenizer(vocab=pieces(), extra_ids=0).save_pretrained(root / "tokenizer")
    (root / "scheduler").mkdir()
    (root / "scheduler" / "scheduler_config.json").write_text(json.dumps(SCHEDULER), "utf-8")
    (root / "model_index.json").write_text(json.dumps(INDEX), "utf-8")
    return root


SCHEDULER = {
    "_class_name": "DDPMScheduler",
    "beta_schedule": "squaredcos_cap_v2",
    "clip_sample": True,
    "dynamic_thresholding_ratio": 0.95,
    "prediction_type": "epsilon",
    "sample_max_value": 1.5,
    "thresholding": True,
    "variance_type": "learned_range",
}
INDEX = {
    "_class_name": "IFPipeline",
    "_diffusers_version": "0.30.0",
    "feature_extractor": [None, None],
    "safety_checker": [None, None],
    "watermarker": [None, None],
    "scheduler": ["diffusers", "DDPMScheduler"],
    "text_encoder": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "T5Tokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
}
