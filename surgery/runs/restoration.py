"""Runs in which one layer of the denoiser gives what it gave in the clean run (Basu et al. 2023).

The clean run of a case travels in the same batch as the rows restored from it, so no activation
is kept: memory is that of a batch, whatever the number of layers and steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from surgery.hooks import Hook
from surgery.model import Model
from surgery.probes.base import Clean, Restore
from surgery.runs.base import Row, Sampling
from surgery.runs.companions import Batch, with_companions
from surgery.runs.corruption import noise_hooks


def restored(
    model: Model, rows: Sequence[Row], sampling: Sampling, on_step: Callable[[int], None]
) -> Tensor:
    """Each row samples its corrupted prompt, one layer's output being that of the clean run.

    Returns:
        Latents (n, channels, height, width).
    """
    batch = with_companions(rows, _is_restored)
    prompts = [case.pair.source for case in batch.cases]
    states = model.encode(prompts, hooks=noise_hooks(model, batch.corrupted(_is_clean), sampling))
    latents = model.denoise(
        states,
        [case.seed for case in batch.cases],
        steps=sampling.steps,
        guidance=sampling.guidance,
        hooks=_hooks(model, batch),
        on_step=lambda *_: on_step(len(rows)),
    )
    return latents[: len(rows)]


def _is_clean(row: Row) -> bool:
    return isinstance(row.arm.intervention, Clean)


def _is_restored(row: Row) -> bool:
    return isinstance(row.arm.intervention, Restore) and bool(row.arm.intervention.kind)


def _hooks(model: Model, batch: Batch) -> list[Hook]:
    by_layer: dict[tuple[str, int], list[int]] = {}
    for number, row in enumerate(batch.rows):
        what = row.arm.intervention
        if isinstance(what, Restore) and what.kind:
            by_layer.setdefault((what.kind, what.index), []).append(number)
    return [
        Hook(model.modules(kind)[index], "output", _copying(numbers, batch))
        for (kind, index), numbers in by_layer.items()
    ]


def _copying(numbers: list[int], batch: Batch) -> Callable[[Tensor], Tensor]:
    sources = torch.tensor([batch.companion[number] for number in numbers])
    targets = torch.tensor(numbers)

    def copy(output: Tensor) -> Tensor:
        changed = output.clone()
        changed[targets] = output[sources]
        return changed

    return copy
