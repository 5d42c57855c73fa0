"""The judge's schooling: drawn pictures first, then their reconstructions by the VAE as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from surgery.atelier.judge import Judge, judge_loss, read, save_judge
from surgery.atelier.pictures import Pictures
from surgery.atelier.schedule import Run, log, pick

BATCH, NOISE = 96, 0.25
"""Pictures a step, and the most noise thrown over them, so that the judge looks at form."""


def train_judge(pictures: Pictures, steps: int, folder: Path) -> None:
    """Trains a judge on drawn pictures and saves it as judge.safetensors."""
    judge = Judge()
    run = Run("judge", judge, steps, 2e-3, folder, keep_mean=0.99)
    for step, chance in run.remaining():
        torch.manual_seed(step)
        rows = pick(chance, len(pictures.labels), BATCH)
        _learn(run, judge, _noisy(pictures.batch(rows), chance), pictures.labels[rows])
    _finish(run, judge, pictures, folder)


def polish_judge(
    judge: Judge, vae: AutoencoderKL, pictures: Pictures, steps: int, folder: Path
) -> None:
    """Goes on with half of every batch seen through the VAE, as generated pictures are."""
    judge.train().requires_grad_(True)
    run = Run("polish", judge, steps, 5e-4, folder, keep_mean=0.99)
    for step, chance in run.remaining():
        torch.manual_seed(step)
        rows = pick(chance, len(pictures.labels), BATCH)
        seen = pictures.batch(rows)
        with torch.no_grad():
            latents = vae.encode(seen[: BATCH // 2]).latent_dist.sample()
            made = vae.decode(latents).sample.clamp(-1, 1)
        mixed = torch.cat([made, _noisy(seen[BATCH // 2 :], chance)])
        _learn(run, judge, mixed, pictures.labels[rows])
    _finish(run, judge, pictures, folder)


def _noisy(seen: Tensor, chance: np.random.Generator) -> Tensor:
    return seen + torch.randn_like(seen) * float(chance.uniform(0, NOISE))


def _learn(run: Run, judge: Judge, seen: Tensor, labels: np.ndarray) -> None:
    loss = judge_loss(judge(seen), torch.from_numpy(labels))
    run.descend(loss)
    if run.step % 100 == 99:
        run.tell(loss=float(loss.detach()))
        run.save()


def _finish(run: Run, judge: Judge, pictures: Pictures, folder: Path) -> None:
    judge.load_state_dict(run.mean)
    judge.eval().requires_grad_(False)
    save_judge(judge, folder / "judge.safetensors")
    _tell_accuracy(judge, pictures)


def _tell_accuracy(judge: Judge, pictures: Pictures) -> None:
    rows = np.arange(2_000)
    found = read(judge, pictures.batch(rows))
    truth = torch.from_numpy(pictures.labels[rows])
    said = truth[:, 1] >= 0
    log.info(
        "judge reads thing %.4f colour %.4f artist %.4f",
        (found.thing == truth[:, 0]).float().mean(),
        (found.colour == truth[:, 1])[said].float().mean(),
        (found.artist == truth[:, 2]).float().mean(),
    )
