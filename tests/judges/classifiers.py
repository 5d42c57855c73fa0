"""A tiny image classifier for tests."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import ViTConfig, ViTForImageClassification

SIDE = 32
LABELS = ("Vincent_van_Gogh", "Claude_Monet", "no artist")


def write_classifier(folder: Path, *, seed: int = 0) -> Path:
    """A ViT of real structure, with labels as on the Hub."""
    torch.manual_seed(seed)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=SIDE,
        patch_size=8,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    ViTForImageClassification(config).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    said = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": size, "resample": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps(said), encoding="utf-8")
    return folder
