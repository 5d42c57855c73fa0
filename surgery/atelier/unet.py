"""The UNet2DConditionModel: ten cross-attention layers over three levels, trained on latents.

Two single-thread workers share every batch and average their gradients: on two cores this beats
one process with two threads.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from diffusers import DDIMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torch.nn import functional as F
from transformers import CLIPModel, CLIPTokenizer

from surgery.atelier.clip import WIDTH, caption_of, tokenize
from surgery.atelier.schedule import Run, pick
from surgery.atelier.vocabulary import corpus
from surgery.atelier.world import captions, colourless, scenes

BATCH, WORKERS = 64, 2
EMPTY = 0.12
"""Share of every batch that shows a plain painting under the empty caption."""
SNR_CAP = 5.0
"""Min-SNR-5 weights (Hang et al. 2023, eq. 6, for epsilon prediction)."""


def blank_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        block_out_channels=(48, 80, 112),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def scheduler() -> DDIMScheduler:
    """Stable Diffusion 1's own schedule."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


@dataclass(frozen=True, slots=True)
class Lessons:
    """`moments` (n, 8, 8, 8): latent mean and spread, scaled; `labels` (n, 3); caption states."""

    moments: Tensor
    labels: NDArray[np.int64]
    numbers: dict[str, int]
    states: Tensor

    def batch(self, chance: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """Latents (b, 4, 8, 8) and the text states (b, LENGTH, WIDTH) they are shown under."""
        empty = int(chance.binomial(count, EMPTY))
        plain = np.flatnonzero(self.labels[:, 2] == 0)
        rows = pick(chance, len(self.labels), count)
        rows[:empty] = plain[pick(chance, len(plain), empty)]
        said = [caption_of(self.labels[row], chance).text for row in rows]
        said[:empty] = [""] * empty
        mean, spread = self.moments[torch.from_numpy(rows)].float().chunk(2, dim=1)
        latents = mean + spread * torch.randn_like(mean)
        return latents, self.states[[self.numbers[one] for one in said]]


@torch.no_grad()
def caption_states(clip: CLIPModel, tokenizer: CLIPTokenizer) -> tuple[dict[str, int], Tensor]:
    """The text tower's last hidden state of every caption the world can say, computed once."""
    texts = list(dict.fromkeys(["", *corpus(), *_colourless()]))
    ids = tokenize(tokenizer, texts)
    parts = [clip.text_model(one).last_hidden_state for one in ids.split(128)]
    return {text: number for number, text in enumerate(texts)}, torch.cat(parts)


def _colourless() -> list[str]:
    return [text for scene in scenes() for text in captions(colourless(scene))]


def train_unet(lessons: Lessons, steps: int, folder: Path) -> UNet2DConditionModel:
    """Trains, or takes up, the UNet with WORKERS processes; returns its running mean."""
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29541")
    spawn(_work, args=(lessons, steps, folder), nprocs=WORKERS)
    unet = blank_unet()
    unet.load_state_dict(torch.load(folder / "unet.pt", weights_only=True)["mean"])
    return unet.eval().requires_grad_(False)


def _work(rank: int, lessons: Lessons, steps: int, folder: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=WORKERS)
    torch.manual_seed(0)
    run = Run("unet", blank_unet(), steps, 1e-3, folder, keep_mean=0.9985)
    noise = scheduler()
    for step, chance in run.remaining():
        torch.manual_seed(WORKERS * step + rank)
        mine = np.random.default_rng([int(chance.integers(2**31)), rank])
        loss = _loss(run.model, noise, *lessons.batch(mine, BATCH // WORKERS))
        run.descend(loss, between=lambda: _share_gradients(run.model))
        if rank == 0 and step % 100 == 99:
            run.tell(loss=float(loss.detach()))
        if rank == 0 and step % 500 == 499:
            run.step += 1
            run.save()
            run.step -= 1
    if rank == 0:
        run.save()
    dist.barrier()
    dist.destroy_process_group()


def _loss(unet: torch.nn.Module, noise: DDIMScheduler, latents: Tensor, states: Tensor) -> Tensor:
    wanted = torch.randn_like(latents)
    times = torch.randint(0, noise.config.num_train_timesteps, (len(latents),))
    made = unet(noise.add_noise(latents, wanted, times), times, states).sample
    kept = noise.alphas_cumprod[times]
    snr = kept / (1 - kept)
    each = F.mse_loss(made, wanted, reduction="none").mean(dim=(1, 2, 3))
    loss: Tensor = (each * snr.clamp(max=SNR_CAP) / snr).mean()
    return loss


def _share_gradients(model: torch.nn.Module) -> None:
    grads = [one.grad for one in model.parameters() if one.grad is not None]
    flat = torch.cat([one.flatten() for one in grads])
    dist.all_reduce(flat)
    flat /= WORKERS
    for grad, part in zip(grads, flat.split([one.numel() for one in grads]), strict=True):
        grad.copy_(part.view_as(grad))
