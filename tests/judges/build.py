"""Questions, runs and tiny CLIP models for the tests of judges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from transformers import (
    CLIPConfig,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
)

from surgery.atelier.world import Scene, draw
from surgery.judges import Seen
from surgery.questions import Pair, Question
from tests.helpers.tiny import vocabulary, write_tokenizer

SIDE = 32
STYLE = Question(
    concept="van gogh",
    target="painting",
    sort="style",
    pairs=(Pair("a red star by van gogh", "a painting of a red star", "van gogh"),),
)
FACT = Question(
    concept="the flag of freedonia",
    target="the flag of ruritania",
    sort="fact",
    pairs=(Pair("the flag of freedonia", "the flag of ruritania", "the flag of freedonia"),),
)


def about(concept: str, sort: str, target: str = "painting") -> Question:
    pair = Pair(f"a picture of {concept}", f"a picture of {target}", concept)
    return Question(concept, target, sort, (pair,))  # type: ignore[arg-type]


def seen(pictures: Tensor, question: Question = STYLE) -> Seen:
    """Pictures as runs; latents that nobody looks at."""
    return Seen(torch.zeros(len(pictures), 4, 2, 2), question.pairs * len(pictures), pictures)


def drawn(*scenes: Scene) -> Tensor:
    """One drawn picture of each scene, (n, 3, 64, 64) in [-1, 1]."""
    pixels = np.stack([draw(scene, 5_000_000 + row) for row, scene in enumerate(scenes)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) * 2 - 1


def random_pictures(count: int, height: int = 64, width: int = 64) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.rand(count, 3, height, width, generator=chance) * 2 - 1


def write_clip(folder: Path, *, seed: int = 0) -> Path:
    """A CLIPModel folder of real structure, with the tiny tokenizer."""
    torch.manual_seed(seed)
    ids = vocabulary()
    tower = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {
        **tower,
        "intermediate_size": 32,
        "vocab_size": len(ids),
        "bos_token_id": ids["<|startoftext|>"],
        "eos_token_id": ids["<|endoftext|>"],
        "pad_token_id": ids["<|endoftext|>"],
    }
    vision = {**tower, "intermediate_size": 32, "image_size": SIDE, "patch_size": 8}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    return write_tokenizer(folder)


def write_siglip(folder: Path) -> Path:
    """A SiglipModel folder, with a tokenizer of whole words that ends each text."""
    torch.manual_seed(0)
    words = ["</s>", "<unk>", "a", "the", "of", "by", "photo", "van", "gogh", "red", "star"]
    tower = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {
        **tower,
        "intermediate_size": 32,
        "vocab_size": len(words),
        "max_position_embeddings": 16,
        "projection_size": 16,
    }
    vision = {**tower, "intermediate_size": 32, "image_size": SIDE, "patch_size": 8}
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    ids = {word: number for number, word in enumerate(words)}
    plain = Tokenizer(models.WordLevel(ids, "<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing("$A </s>", None, [("</s>", 0)])
    made = PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token="</s>", pad_token="</s>", unk_token="<unk>"
    )
    made.save_pretrained(folder)
    return folder
