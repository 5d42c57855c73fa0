"""The CLIPModel: one contrastive training of text and vision tower, then frozen.

A caption may fit several pictures of a batch ("a painting by monet"), so the contrastive target
is every picture the caption is true of. A linear reading of both embeddings also learns what the
judge sees: without it, shapes are lost in the text tower.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

from surgery.atelier.judge import Judge
from surgery.atelier.pictures import PAINTERS, THINGS, UNSAID, Pictures
from surgery.atelier.schedule import Run, pick
from surgery.atelier.vocabulary import LENGTH
from surgery.atelier.world import COLOURS, Scene, captions, colourless, loose_captions

BATCH = 128
WIDTH, LAYERS, EMBEDDING = 96, 4, 96
MEAN, SPREAD = 0.5, 0.5
"""Pictures reach the vision tower as (pixel - 0.5) / 0.5, the VAE's own range."""


def blank_clip(tokenizer: CLIPTokenizer) -> CLIPModel:
    shape = {"num_hidden_layers": LAYERS, "num_attention_heads": 4, "projection_dim": EMBEDDING}
    text = {
        **shape,
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": LENGTH,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        **shape,
        "hidden_size": 128,
        "intermediate_size": 384,
        "image_size": 64,
        "patch_size": 8,
    }
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=EMBEDDING))


@dataclass(frozen=True, slots=True)
class Caption:
    """Words, and what they demand of a picture: class numbers, UNSAID where they leave it open."""

    text: str
    demand: tuple[int, int, int]


def caption_of(label: NDArray[np.int64], chance: np.random.Generator) -> Caption:
    """Some true caption of a labelled picture: full, without the colour, or nearly nothing."""
    thing, colour, artist = (int(one) for one in label)
    scene = Scene(THINGS[thing], list(COLOURS)[colour] if colour >= 0 else None, PAINTERS[artist])
    kind = chance.random()
    if kind < 0.72:
        return Caption(_any(captions(scene), chance), (thing, colour, artist))
    if kind < 0.84:
        bare = captions(colourless(scene))
        return Caption(_any(bare, chance), (thing, UNSAID, artist))
    return Caption(_any(loose_captions(scene), chance), (UNSAID, UNSAID, artist))


def _any(options: tuple[str, ...], chance: np.random.Generator) -> str:
    return options[int(chance.integers(len(options)))]


class Towers(nn.Module):
    """CLIP and the linear reading that only training uses."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.clip = clip
        self.reading = nn.Linear(EMBEDDING, len(THINGS) + len(COLOURS) + len(PAINTERS))

    def forward(self, ids: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
        text = self.clip.get_text_features(ids).pooler_output
        image = self.clip.get_image_features(pictures).pooler_output
        return F.normalize(text, dim=1), F.normalize(image, dim=1)

    def readings(self, embedding: Tensor) -> tuple[Tensor, ...]:
        parts = self.reading(8 * embedding).split([len(THINGS), len(COLOURS), len(PAINTERS)], 1)
        return tuple(parts)


def train_clip(
    pictures: Pictures, judge: Judge, tokenizer: CLIPTokenizer, steps: int, folder: Path
) -> CLIPModel:
    towers = Towers(blank_clip(tokenizer))
    run = Run("clip", towers, steps, 1e-3, folder, keep_mean=0.995)
    for step, chance in run.remaining():
        rows = pick(chance, len(pictures.labels), BATCH)
        seen, labels = pictures.batch(rows), pictures.labels[rows]
        said = [caption_of(label, chance) for label in labels]
        ids = tokenize(tokenizer, [one.text for one in said])
        loss, contrast = _loss(towers, judge, Batch(seen, labels, said, ids))
        run.descend(loss)
        towers.clip.logit_scale.data.clamp_(max=4.6)
        if step % 100 == 99:
            run.tell(loss=float(loss.detach()), contrast=float(contrast))
            run.save()
    run.save()
    towers.load_state_dict(run.mean)
    return towers.clip.eval().requires_grad_(False)


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token numbers (n, LENGTH), padded with the end token as Stable Diffusion pads."""
    found = tokenizer(texts, padding="max_length", max_length=LENGTH, truncation=False)
    return torch.tensor(found.input_ids)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pictures (b, 3, 64, 64), their labels (b, 3), a true caption of each and its tokens."""

    seen: Tensor
    labels: NDArray[np.int64]
    said: list[Caption]
    ids: Tensor


def _loss(towers: Towers, judge: Judge, batch: Batch) -> tuple[Tensor, Tensor]:
    text, image = towers(batch.ids, batch.seen)
    demands = torch.tensor([one.demand for one in batch.said])
    truth = torch.from_numpy(batch.labels)
    fits = ((demands[:, None] == truth[None]) | (demands[:, None] == UNSAID)).all(2).float()
    logits = towers.clip.logit_scale.exp() * text @ image.T
    contrast = _soft(logits, fits) + _soft(logits.T, fits.T)
    with torch.no_grad():
        wanted = [one.softmax(1) for one in judge(batch.seen)]
    coloured = (truth[:, 1] != UNSAID).float()
    distil = torch.zeros(())
    for embedding in (text, image):
        for column, one in enumerate(towers.readings(embedding)):
            each = F.cross_entropy(one, wanted[column], reduction="none")
            distil = distil + (each * coloured if column == 1 else each).mean()
    return contrast / 2 + distil, contrast.detach()


def _soft(logits: Tensor, fits: Tensor) -> Tensor:
    return F.cross_entropy(logits, fits / fits.sum(1, keepdim=True).clamp_min(1))
