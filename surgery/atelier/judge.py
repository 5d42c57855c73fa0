"""The judge: a small CNN that reads thing, colour and artist off a picture.

It learns from drawn pictures and their VAE reconstructions only, never from generated ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from surgery.atelier.pictures import PAINTERS, THINGS, UNSAID
from surgery.atelier.world import COLOURS, Scene

Logits: TypeAlias = tuple[Tensor, Tensor, Tensor]
WIDTHS = (24, 48, 96, 128)


def _stage(narrow: int, wide: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, wide, 3, stride=2, padding=1),
        nn.GroupNorm(8, wide),
        nn.SiLU(),
        nn.Conv2d(wide, wide, 3, padding=1),
        nn.GroupNorm(8, wide),
        nn.SiLU(),
    )


class Judge(nn.Module):
    """Pictures (b, 3, 64, 64) in [-1, 1] → logits over things, colours and artists."""

    def __init__(self) -> None:
        super().__init__()
        pairs = zip((3, *WIDTHS), WIDTHS, strict=False)
        self.stages = nn.ModuleList([_stage(narrow, wide) for narrow, wide in pairs])
        size = WIDTHS[-1] * 4
        self.thing = nn.Linear(size, len(THINGS))
        self.colour = nn.Linear(size, len(COLOURS))
        self.artist = nn.Linear(size, len(PAINTERS))

    def features(self, pictures: Tensor) -> list[Tensor]:
        """The output of each stage, coarser and coarser: a perceptual distance for the VAE."""
        found = []
        for stage in self.stages:
            pictures = stage(pictures)
            found.append(pictures)
        return found

    def forward(self, pictures: Tensor) -> Logits:
        pooled = F.adaptive_avg_pool2d(self.features(pictures)[-1], 2).flatten(1)
        return self.thing(pooled), self.colour(pooled), self.artist(pooled)


def judge_loss(logits: Logits, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the three readings; an unsaid colour counts for nothing."""
    parts = [
        F.cross_entropy(one, labels[:, column], ignore_index=UNSAID)
        for column, one in enumerate(logits)
    ]
    return torch.stack(parts).sum()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the judge sees in a batch: class numbers, each (b,)."""

    thing: Tensor
    colour: Tensor
    artist: Tensor

    def scenes(self) -> tuple[Scene, ...]:
        colours = list(COLOURS)
        rows = zip(self.thing.tolist(), self.colour.tolist(), self.artist.tolist(), strict=True)
        return tuple(Scene(THINGS[t], colours[c], PAINTERS[a]) for t, c, a in rows)


@torch.no_grad()
def read(judge: Judge, pictures: Tensor) -> Reading:
    thing, colour, artist = judge(pictures)
    return Reading(thing.argmax(1), colour.argmax(1), artist.argmax(1))


def load_judge(file: Path) -> Judge:
    judge = Judge()
    judge.load_state_dict({name: one.float() for name, one in load_file(file).items()})
    return judge.eval().requires_grad_(False)


def save_judge(judge: Judge, file: Path, dtype: torch.dtype = torch.float32) -> None:
    save_file({name: one.to(dtype) for name, one in judge.state_dict().items()}, file)
