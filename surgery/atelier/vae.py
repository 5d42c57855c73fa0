"""The AutoencoderKL: 64 x 64 pictures to 8 x 8 x 4 latents and back."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional as F

from surgery.atelier.judge import Judge, judge_loss
from surgery.atelier.pictures import Pictures
from surgery.atelier.schedule import Run, pick

BATCH = 16
KL, PERCEPTUAL, VERDICT = 1e-5, 0.15, 0.02
"""Weights beside the pixel loss: the posterior's KL, the judge's features, the judge's verdict."""


def blank_vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 96),
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=4,
        sample_size=64,
        mid_block_add_attention=False,
    )


def train_vae(pictures: Pictures, judge: Judge, steps: int, folder: Path) -> AutoencoderKL:
    """Trains, or takes up, the VAE; returns the running mean of its weights, scaled."""
    vae = blank_vae()
    run = Run("vae", vae, steps, 2e-3, folder, keep_mean=0.995)
    for step, chance in run.remaining():
        torch.manual_seed(step)
        rows = pick(chance, len(pictures.labels), BATCH)
        seen = pictures.batch(rows)
        loss, pixel = _loss(vae, judge, seen, torch.from_numpy(pictures.labels[rows]))
        run.descend(loss)
        if step % 100 == 99:
            run.tell(loss=float(loss.detach()), pixel=float(pixel))
            run.save()
    run.save()
    vae.load_state_dict(run.mean)
    return _scaled(vae.eval().requires_grad_(False), pictures)


def _loss(vae: AutoencoderKL, judge: Judge, seen: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    with torch.autocast("cpu", torch.bfloat16):
        posterior = vae.encode(seen).latent_dist
        made = vae.decode(posterior.sample()).sample
        pixel = F.l1_loss(made.float(), seen) + 2 * F.mse_loss(made.float(), seen)
        with torch.no_grad():
            wanted = judge.features(seen)
        found = judge.features(made)
        far = [F.mse_loss(a.float(), b.float()) for a, b in zip(found[:3], wanted, strict=False)]
        verdict = judge_loss(judge(made), labels)
    kl = posterior.kl().mean()
    total = pixel + KL * kl + PERCEPTUAL * torch.stack(far).sum() + VERDICT * verdict.float()
    return total, pixel.detach()


@torch.no_grad()
def encode_all(vae: AutoencoderKL, pictures: Pictures, batch: int = 128) -> Tensor:
    """Mean and standard deviation of every latent: (n, 8, 8, 8), float16, unscaled."""
    parts = []
    rows = torch.arange(len(pictures.labels))
    for some in rows.split(batch):
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(vae.encode(pictures.batch(some.numpy())).latent_dist.parameters.half())
    moments = torch.cat(parts)
    mean, log_var = moments.chunk(2, dim=1)
    return torch.cat([mean, (0.5 * log_var.float().clamp(-30, 20)).exp().half()], dim=1)


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: Tensor, batch: int = 64) -> Tensor:
    """Scaled latents (n, 4, 8, 8) → pictures (n, 3, 64, 64) in [-1, 1]."""
    parts = [vae.decode(one / vae.config.scaling_factor).sample for one in latents.split(batch)]
    return torch.cat(parts).clamp(-1, 1)


def _scaled(vae: AutoencoderKL, pictures: Pictures) -> AutoencoderKL:
    """Sets the scaling factor so that latents have unit variance, as Stable Diffusion does."""
    sample = vae.encode(pictures.batch(torch.arange(512).numpy())).latent_dist.mean
    vae.register_to_config(scaling_factor=round(1 / float(sample.std()), 5))
    return vae
