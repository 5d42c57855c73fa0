"""CLIP zero-shot on drawn pictures: does the vision tower see style, colour and object?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from surgery.atelier.clip import tokenize
from surgery.atelier.world import ARTISTS, COLOURS, OBJECTS, Scene, captions, draw

PICTURES, FIRST_SEED = 384, 8_000_000

transformers_logging.disable_progress_bar()


def zero_shot(
    clip_folder: Path, tokenizer_folder: Path, pictures: int = PICTURES
) -> dict[str, float]:
    """Shares of drawn pictures whose style, colour and object are named right, (0 to 1).

    Each class is the mean text embedding of one caption for every scene of that class.
    """
    clip = CLIPModel.from_pretrained(clip_folder, dtype=torch.float32).eval()
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer_folder)
    scenes = _scenes(pictures)
    text = _text(clip, tokenizer, scenes)
    image = _image(clip, scenes)
    marks: dict[str, list[str | None]] = {
        "style": [scene.artist for scene in scenes],
        "colour": [scene.colour for scene in scenes],
        "object": [scene.thing for scene in scenes],
    }
    return {name: _accuracy(text, image, mark) for name, mark in marks.items()}


def _scenes(count: int) -> list[Scene]:
    every = [Scene(*one) for one in product(OBJECTS, COLOURS, (None, *ARTISTS))]
    order = np.random.default_rng(FIRST_SEED).permutation(len(every))
    return [every[int(row)] for row in order[:count]]


@torch.no_grad()
def _text(clip: CLIPModel, tokenizer: CLIPTokenizer, scenes: Sequence[Scene]) -> Tensor:
    ids = tokenize(tokenizer, [captions(scene)[0] for scene in scenes])
    found = [clip.get_text_features(one).pooler_output for one in ids.split(128)]
    return F.normalize(torch.cat(found), dim=1)


@torch.no_grad()
def _image(clip: CLIPModel, scenes: Sequence[Scene]) -> Tensor:
    drawn = np.stack([draw(scene, FIRST_SEED + row) for row, scene in enumerate(scenes)])
    pictures = torch.from_numpy(drawn).permute(0, 3, 1, 2) * 2 - 1
    found = [clip.get_image_features(one).pooler_output for one in pictures.split(64)]
    return F.normalize(torch.cat(found), dim=1)


def _accuracy(text: Tensor, image: Tensor, marks: Sequence[str | None]) -> float:
    classes = list(dict.fromkeys(marks))
    member = torch.tensor([[mark == one for mark in marks] for one in classes]).float()
    prototypes = F.normalize(member @ text, dim=1)
    named = (image @ prototypes.T).argmax(1).tolist()
    return float(np.mean([classes[row] == mark for row, mark in zip(named, marks, strict=True)]))
